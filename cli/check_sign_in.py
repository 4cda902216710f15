"""The way to sign in and back: what the browser meets, and what has to be allowed at the Auth MS."""

from cli.findings import Finding, error, ok
from services.stripe_mode import is_public
from settings import Settings


def look_at_sign_in(settings: Settings) -> Finding:
    """Return that sign-in is unprotected, or what the Auth MS has to allow for it to lead back here."""
    public = settings.secure_cookies and is_public(settings.public_url) and not settings.sandbox_enabled
    if public and settings.sign_in_base.startswith("http://"):
        detail = f"Browsers sign in over plain http at {settings.sign_in_base}, although PUBLIC_URL is https."
        return error("sign_in", detail, "Set AUTH_MS_PUBLIC_URL to the https address of the Auth MS.")
    return ok(
        "sign_in",
        f"Browsers sign in at {settings.sign_in_base}. The Auth MS has to allow {settings.public_url}/auth/callback "
        "as redirect_uri, with a state behind it that differs each time (?state=…).",
    )
