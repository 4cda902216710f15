"""What is told of users, signed and as JSON: once for one entitlement, however often it is asked for."""

from collections import OrderedDict
from typing import Final

from api.schemas import UserEntitlement
from services.entitlements.model import Entitlement
from services.entitlements.service import Entitlements

MOST: Final = 1000


class SignedAnswers:
    """Makes the answers. One is made again for another entitlement, though it be equal: tokens must not grow old."""

    def __init__(self, entitlements: Entitlements) -> None:
        self._entitlements = entitlements
        self._made: OrderedDict[str, tuple[Entitlement, bytes]] = OrderedDict()

    def json(self, user_id: str, entitlement: Entitlement) -> bytes:
        """Return a `UserEntitlement` as JSON. Raises ClockUnsure."""
        made = self._made.get(user_id)
        if made is not None and made[0] is entitlement:
            return made[1]
        signed = self._entitlements.sign(user_id, entitlement)
        answer = UserEntitlement(
            user_id=user_id, **entitlement.model_dump(), token=signed.token, expires_at=signed.expires_at
        )
        body = answer.model_dump_json().encode()
        self._made[user_id] = (entitlement, body)
        self._made.move_to_end(user_id)
        if len(self._made) > MOST:
            self._made.popitem(last=False)
        return body
