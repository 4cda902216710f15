"""What is pressed in the tests of a plan's checkout, and how often the Payment MS was asked for one."""

from typing import Final

from tests.replica import Outside

MONTH: Final = "price_premium_month"
YEAR: Final = "price_premium_year"
BASIC: Final = "price_basic_month"
DAY: Final = 86_400.0


def opened(outside: Outside) -> int:
    """Return how many checkouts the Payment MS was asked for."""
    return len(outside.payment_ms.checkout_switch.calls)
