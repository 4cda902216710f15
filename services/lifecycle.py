"""How a subscription goes on or ends, in Stripe's fields, where a service passes them on.

The first version of the Payment MS's contract documents none of them, the second all; either service may tell them, and
`services/payment_responses.py` and `services/auth_ms.py` read them where they stand. Whether a subscription renews is
said on this evidence and on no other (`services/claims/`): that a field is missing proves nothing, so it takes all of
them to know that nothing ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import AwareDatetime

from services.upstream.responses import read_moment

TELLING: Final = ("cancel_at_period_end", "cancel_at", "canceled_at", "ended_at")
"""The fields that must all be there, and empty, before a subscription is known to go on; and one of `PAUSES`."""

PAUSES: Final = ("pause_collection", "pause")
"""Stripe's name for a pause of payments, and the contract's."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What a service says of the end: None where it says nothing, times as aware UTC.

    `told` says that each of `TELLING` and a pause was named, so that an empty one means "no".
    """

    cancel_at_period_end: bool | None = None
    cancel_at: AwareDatetime | None = None
    canceled_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    trial_end: AwareDatetime | None = None
    paused: bool | None = None
    told: bool = False

    @property
    def ending(self) -> bool:
        """Whether the service says that it ends by itself."""
        return self.cancel_at_period_end is True or self.cancel_at is not None

    @property
    def goes_on(self) -> bool:
        """Whether the service says that nothing ends it and nothing holds it."""
        return self.told and not (self.ending or self.canceled_at or self.ended_at or self.paused)

    @property
    def silent(self) -> bool:
        """Whether the service says nothing at all of an end."""
        return self == UNTOLD


UNTOLD: Final = Lifecycle()
"""Of a service that says nothing of an end, as the running Payment MS does."""


def read_lifecycle(content: object) -> Lifecycle:
    """Return what stands in an answer's object. A value that can't be read says nothing, and is no "no"."""
    if not isinstance(content, Mapping):
        return UNTOLD
    flag, pauses = content.get("cancel_at_period_end"), [content[name] for name in PAUSES if name in content]
    times = {name: read_moment(content.get(name)) for name in ("cancel_at", "canceled_at", "ended_at", "trial_end")}
    readable = isinstance(flag, bool) and all(
        times[name] is not None or not content.get(name) for name in ("cancel_at", "canceled_at", "ended_at")
    )
    return Lifecycle(
        cancel_at_period_end=flag if isinstance(flag, bool) else None,
        cancel_at=times["cancel_at"],
        canceled_at=times["canceled_at"],
        ended_at=times["ended_at"],
        trial_end=times["trial_end"],
        paused=any(pause not in (None, False, "", {}) for pause in pauses) if pauses else None,
        told=readable and bool(pauses) and all(name in content for name in TELLING),
    )
