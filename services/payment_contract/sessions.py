"""What a service of the second version tells of one checkout session: whether it can be paid, and whether it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SessionStatus(StrEnum):  # the same name as the sandbox's, which writes what is read here
    """Stripe's words for a checkout session."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):  # the same name as the sandbox's, which writes what is read here
    """Stripe's words for the money of a session. A complete one is `unpaid` while a bank debit is under way."""

    UNPAID = "unpaid"
    PAID = "paid"
    NO_PAYMENT_REQUIRED = "no_payment_required"


@dataclass(frozen=True, slots=True)
class SessionState:
    """A checkout session as it is at Stripe now. `payment` is None where it was not told, or not in a known word."""

    status: SessionStatus
    payment: PaymentStatus | None = None
    subscription_id: str | None = None

    @property
    def bought(self) -> bool:
        """Whether it went through: then it can't be paid again, and what it sold is bought, or a debit is under way."""
        return self.status is SessionStatus.COMPLETE

    @property
    def dead(self) -> bool:
        """Whether it ended unpaid: nothing was charged by it, and nothing ever will be."""
        return self.status is SessionStatus.EXPIRED


def read_session_state(content: object) -> SessionState | None:
    """Return the state in an answer's object; None where its status can't be read."""
    if not isinstance(content, Mapping):
        return None
    status, payment, bought = (content.get(name) for name in ("status", "payment_status", "subscription_id"))
    if not isinstance(status, str) or status not in set(SessionStatus):
        return None
    return SessionState(
        SessionStatus(status),
        PaymentStatus(payment) if isinstance(payment, str) and payment in set(PaymentStatus) else None,
        bought if isinstance(bought, str) and bought else None,
    )
