"""Questions that several checks ask: calls with our key, and the status of somebody's subscription."""

from urllib.parse import quote

from contract.explanations import Cause
from contract.reading import UNKNOWN_CUSTOMER, Status, answered, error_code
from contract.reading import status as read_status
from contract.results import CheckOutcome, Unmet, fine
from contract.target import ContractTarget
from contract.wire import ServiceReply


class KeyRefused(Unmet):
    """The service refuses the key we were given, so no other call can be looked at."""


def keyed(subject: ContractTarget, reply: ServiceReply) -> ServiceReply:
    """Return the reply to a call with our key, unless the key was refused."""
    if reply.status in (401, 403):
        if subject.key_worked:
            raise KeyRefused(
                f"answered {reply.status} to a key that worked: it has lost its database connection; restart it",
                Cause.ONE_CONNECTION,
            )
        raise KeyRefused(
            f"answered {reply.status}: the key is not this service's, its project is inactive, or the service has lost "
            "its database connection; if the key is right, restart it",
            Cause.KEY_REFUSED,
        )
    subject.key_worked = True
    return reply


def status_path(user_id: str, product_id: str) -> str:
    return f"/api/v1/subscriptions/{quote(user_id, safe='')}/{quote(product_id, safe='')}"


def status_of(subject: ContractTarget, user_id: str, product_id: str) -> Status:
    reply = keyed(subject, subject.wire.ask("GET", status_path(user_id, product_id)))
    if reply.status in (400, 404) and error_code(reply) in UNKNOWN_CUSTOMER:
        return Status(False, None)
    return read_status(answered(reply, within=subject.status_wait))


def none_for(subject: ContractTarget, user_id: str) -> CheckOutcome:
    found = status_of(subject, user_id, subject.product_id)
    if found.exists:
        raise Unmet("the service says that there is a subscription")
    if found.shape and subject.shape and found.shape is not subject.shape:
        raise Unmet(f"the answer has the {found.shape} shape, not the {subject.shape} one")
    return fine()
