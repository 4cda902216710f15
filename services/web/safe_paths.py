"""Paths on this site that came from a browser: where to go after sign-in, and back from Stripe."""

from urllib.parse import quote

LONGEST = 2000


def safe_next(path: str | None) -> str:
    """Return the path if it stays on this site, else `/`. A backslash counts as a slash, as it does in browsers."""
    if not path or len(path) > LONGEST or path[0] != "/" or path[1:2] in ("/", "\\"):
        return "/"
    if any(ord(character) < 0x21 or ord(character) == 0x7F for character in path):
        return "/"
    return path


def sign_in_path(next_path: str) -> str:
    """Return the address of the sign-in page that leads back to `next_path`."""
    return f"/login?next={quote(safe_next(next_path), safe='/')}"
