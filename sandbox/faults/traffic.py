"""Which requests came in: counted by operation and by user, and how many of them overlapped. In memory only."""

import json
import re
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import unquote

_OPERATIONS: Final = (
    ("payment", re.compile(r"^/api/v1/checkout/(subscription|item|cart)$"), "checkout_{}"),
    ("payment", re.compile(r"^/api/v1/subscriptions/"), "subscription_status"),
    ("payment", re.compile(r"^/api/v1/portal$"), "portal"),
    ("payment", re.compile(r"^/admin/products/register$"), "register"),
    ("payment", re.compile(r"^/(health|openapi\.json|docs)$"), "{}"),
    ("auth", re.compile(r"^/auth/session/(create|refresh)$"), "session_{}"),
    ("auth", re.compile(r"^/auth/subscriptions$"), "subscription_told"),
    ("auth", re.compile(r"^/auth/[^/]+$"), "sign_in_page"),
    ("stripe", re.compile(r"^/v1/([a-z_]+)"), "stripe_{}"),
)
_STATUS_USER: Final = re.compile(r"^/api/v1/subscriptions/([^/]+)/")


def operation_of(service: str, path: str) -> str:
    """The name under which a request is counted and faults are addressed; ``other`` for a path of no known call."""
    for owner, pattern, name in _OPERATIONS:
        match = pattern.match(path)
        if owner == service and match:
            return name.format(*match.groups())
    return "other"


def user_of(path: str, body: bytes) -> str:
    """Whom a Payment MS request is about, as far as its path or its body says."""
    match = _STATUS_USER.match(path)
    if match:
        return unquote(match[1])
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        return ""
    user = content.get("user_id") if isinstance(content, dict) else ""
    return user if isinstance(user, str) else ""


@dataclass(slots=True)
class ReceivedRequest:
    service: str
    operation: str
    user_id: str
    method: str
    path: str
    at: float
    status: int = 0
    milliseconds: float = 0.0
    overlapping: int = 1


@dataclass(slots=True)
class Overlap:
    now: int = 0
    most: int = 0
    times: int = 0


class Traffic:
    def __init__(self) -> None:
        self._recent: deque[ReceivedRequest] = deque(maxlen=2000)
        self._by_operation: Counter[str] = Counter()
        self._by_user: dict[str, Counter[str]] = {}
        self._statuses: dict[str, Counter[str]] = {}
        self._overlap = {"payment": Overlap(), "auth": Overlap(), "stripe": Overlap()}

    def begin(self, call: ReceivedRequest) -> None:
        overlap = self._overlap[call.service]
        overlap.now += 1
        overlap.most = max(overlap.most, overlap.now)
        overlap.times += overlap.now > 1
        call.overlapping = overlap.now
        self._recent.append(call)
        self._by_operation[call.operation] += 1
        if call.user_id:
            self._by_user.setdefault(call.user_id, Counter())[call.operation] += 1

    def end(self, call: ReceivedRequest) -> None:
        self._overlap[call.service].now -= 1
        call.milliseconds = round((time.time() - call.at) * 1000, 3)
        self._statuses.setdefault(call.operation, Counter())[str(call.status)] += 1

    def report(self, user_id: str = "", limit: int = 100) -> dict[str, object]:
        """Counts since the last reset, and the newest calls first."""
        recent = [asdict(call) for call in reversed(self._recent) if not user_id or call.user_id == user_id]
        by_user = {user: dict(counts) for user, counts in self._by_user.items() if not user_id or user == user_id}
        return {
            "total": self._by_operation.total(),
            "by_operation": dict(self._by_operation),
            "by_status": {operation: dict(counts) for operation, counts in self._statuses.items()},
            "by_user": by_user,
            "overlap": {service: asdict(overlap) for service, overlap in self._overlap.items()},
            "recent": recent[:limit],
        }

    def reset(self) -> None:
        self._recent.clear()
        self._by_operation.clear()
        self._by_user.clear()
        self._statuses.clear()
        for overlap in self._overlap.values():
            overlap.most, overlap.times = overlap.now, 0
