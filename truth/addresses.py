"""Where everybody is in a story, though nobody goes there by a socket."""

from typing import Final

PAYMENT: Final = "http://127.0.0.1:9000"
AUTH: Final = "http://127.0.0.1:8080"
STRIPE: Final = "http://localhost:4242"
APP: Final = "http://localhost:8081"

EVENTS_SECRET: Final = "whsec_0123456789abcdef0123456789"  # noqa: S105 - guards nothing
"""What a Payment MS signs its events to the app with."""
