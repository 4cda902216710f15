"""What tests of the live status count and prepare."""

from services.auth_ms import User
from tests.replica import Outside


def looks(outside: Outside) -> int:
    """How often the Auth MS was asked: once for each look at both services."""
    return outside.auth_ms.switch.count("refresh")


def buy(outside: Outside, price: str = "price_premium_month", customer: str = "ada") -> None:
    """Have a subscription of this user at Stripe, known to both services."""
    outside.world.pay(outside.world.open_session("subscription", customer, ((price, 1),), "", ""))
    outside.world.deliver_all()


def person(number: int) -> User:
    """Return one of many users."""
    return User(f"user-{number}", f"User {number}", f"user{number}@example.com")
