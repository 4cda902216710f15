"""The security headers of every answer, the Content-Security-Policy with its nonce among them.

The policy needs no `unsafe-inline` and no `unsafe-eval` for scripts. Styles may be inline: pages carry theirs in the
head, so that the first paint waits for nothing. A page that is drawn with all of NiceGUI's elements says in the
request's state that it needs `unsafe-eval`, and gets it for its own answer. A document for strangers is the same for
all of them: it has no script in it, and its policy no nonce.
"""

import secrets
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings

EMBED_PATH: Final = "/embed/"
"""Pages under this path may stand in a frame of the sites in EMBED_ORIGINS."""

CALLBACK_PATH: Final = "/auth/callback"
HSTS: Final = "max-age=31536000; includeSubDomains"
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
        "payment", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
NEEDS_EVAL: Final = "csp_eval"
"""In a request's state: whether its page lets the browser compile scripts (`ui/nicegui_ext/page_policy.py`)."""

SHARED: Final = "shared_document"
"""In a request's state: whether its answer is the same for all strangers (`ui/serving/shared_documents.py`)."""

_NONCE: Final = "{nonce}"
_WITH_NONCE: Final = f" 'nonce-{_NONCE}'"


class SecurityHeaders:
    """Gives each request a nonce (`request.state.csp_nonce`) and each answer its headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._policy = content_security_policy(settings, ("'none'",))
        self._full_policy = full_policy(self._policy)
        self._embed_policy = content_security_policy(settings, settings.embed_origins or ("'none'",))
        fixed = {
            "X-Content-Type-Options": "nosniff",
            "Permissions-Policy": PERMISSIONS,
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if settings.secure_cookies:
            fixed["Strict-Transport-Security"] = HSTS
        self._fixed = _raw(fixed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["csp_nonce"] = nonce
        path: str = scope["path"]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                state, given = scope["state"], message.get("headers", ())
                policy = self._policy_of(path, needs_eval=state.get(NEEDS_EVAL, False))
                policy = policy.replace(_WITH_NONCE, "") if SHARED in state else policy.replace(_NONCE, nonce)
                if message["status"] != 304:  # whose headers are those of the answer that the browser has
                    message = {**message, "headers": self._headers(path, policy, given)}
            await send(message)

        await self._app(scope, receive, answer)

    def _policy_of(self, path: str, *, needs_eval: bool) -> str:
        if path.startswith(EMBED_PATH):
            return self._embed_policy
        return self._full_policy if needs_eval else self._policy

    def _headers(self, path: str, policy: str, given: Collection[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        embedded = path.startswith(EMBED_PATH)
        ours = [
            *self._fixed,
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer" if path == CALLBACK_PATH else b"strict-origin-when-cross-origin"),
            (b"cross-origin-resource-policy", b"cross-origin" if embedded else b"same-origin"),
        ]
        names = {name for name, _value in ours}
        kept = [(name, value) for name, value in given if name.lower() not in names]
        if not any(name.lower() == b"cache-control" for name, _value in kept):
            ours.append((b"cache-control", b"no-store"))
        return [*kept, *ours]


def full_policy(policy: str) -> str:
    """Return the policy of pages with all of NiceGUI's elements: scripts may compile, fonts may be data."""
    compiling = policy.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
    return f"{compiling}; font-src 'self' data:"


def content_security_policy(settings: Settings, frame_ancestors: Collection[str]) -> str:
    """Return the policy with `{nonce}` where each request's own goes.

    Forms may lead to where their answers redirect: browsers hold a redirect to `form-action` too.
    """
    public = urlsplit(settings.public_url)
    named = ":" not in (public.hostname or "")  # the policy's grammar has no IPv6 address: 'self' has to do there
    sockets = [f"{'wss' if public.scheme == 'https' else 'ws'}://{public.netloc}"] if named else []
    targets = [
        f"{scheme}://{host}"
        for host in dict.fromkeys(settings.checkout_hosts + settings.portal_hosts)
        for scheme in (("http",) if host in settings.http_hosts else ("https",))
    ]
    if "://" in settings.home_address:  # where signing out ends
        targets.append("{0.scheme}://{0.netloc}".format(urlsplit(settings.home_address)))
    directives: Mapping[str, Collection[str]] = {
        "default-src": ("'self'",),
        "script-src": ("'self'", f"'nonce-{_NONCE}'"),
        "style-src": ("'self'", "'unsafe-inline'"),
        "img-src": ("'self'", "data:"),
        "connect-src": ("'self'", *sockets),
        "form-action": ("'self'", *targets),
        "frame-ancestors": frame_ancestors,
        "frame-src": ("'none'",),
        "object-src": ("'none'",),
        "worker-src": ("'none'",),
        "base-uri": ("'none'",),
    }
    policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())
    return f"{policy}; upgrade-insecure-requests" if public.scheme == "https" else policy


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
