"""Answers read strictly: status, content type, JSON, single fields, the three shapes of a status, addresses, times."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from contract.results import Unmet
from contract.wire import ServiceReply

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,255}", re.ASCII)
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

UNKNOWN_CUSTOMER: Final = ("CUSTOMER_NOT_FOUND", "NO_STRIPE_CUSTOMER")


class AnswerShape(StrEnum):
    """The three forms a status answer is known to have."""

    DOCUMENTED = "documented"
    OPENAPI = "openapi"
    RUNNING = "running"


@dataclass(frozen=True)
class Status:
    """A status answer: whether there is a subscription, and in which of the shapes that was said.

    Both shapes with ``exists`` say "none" alike; then ``shape`` is None.
    """

    exists: bool
    shape: AnswerShape | None
    subscription_id: str = ""


def answered(reply: ServiceReply, *, within: float) -> dict[str, Any]:
    """Return the JSON object of a 2xx answer; raise Unmet if it is anything else, or was slower than ``within``."""
    call = f"{reply.method} {reply.path}"
    if not 200 <= reply.status < 300:
        raise Unmet(f"{call} answered {reply.status}{_said(reply)}")
    if reply.content_type != "application/json":
        raise Unmet(f"{call} answered {reply.content_type or 'no content type'}, not application/json")
    content = parsed(reply.body)
    if not isinstance(content, dict):
        raise Unmet(f"{call} answered no JSON object")
    if reply.elapsed > within:
        raise Unmet(f"{call} took {reply.elapsed:.1f} s; the front end waits {within:g} s")
    return content


def parsed(body: bytes) -> object:
    """Return the JSON in UTF-8 bytes without a byte-order mark, NaN or infinity; None if it is none."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(name)

    try:
        return json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def error_code(reply: ServiceReply) -> str:
    """Return the service's code for a refusal, ``error.code`` or ``error``; empty if it gave none."""
    content = parsed(reply.body)
    error = content.get("error") if isinstance(content, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def refused(reply: ServiceReply) -> str:
    """Return the code of a refusal that is the caller's fault; raise Unmet for a success, 401, 404, 429 or 5xx."""
    if 400 <= reply.status < 500 and reply.status not in (401, 403, 404, 429):
        return error_code(reply)
    raise Unmet(f"{reply.method} {reply.path} answered {reply.status}{_said(reply)} instead of a 4xx such as 400")


def text(content: dict[str, Any], name: str) -> str:
    """Return a field that must be a text with something in it."""
    if name not in content:
        raise Unmet(f"field {name} is missing")
    value = content[name]
    if not isinstance(value, str) or not value:
        raise Unmet(f"field {name} is {_kind(value)}, not a text")
    return value


def reference(content: dict[str, Any], name: str) -> str:
    """Return a field that must be an id: letters, digits and ``_ . : -``."""
    value = text(content, name)
    if not _REFERENCE.fullmatch(value):
        raise Unmet(f"field {name} holds characters that no id has")
    return value


def moment(content: dict[str, Any], name: str, *, optional: bool = False) -> None:
    """Check a field that must be a time as RFC 3339 writes it; an optional one may be absent, null or empty."""
    value = content.get(name)
    if optional and value in (None, ""):
        return
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Unmet(f"field {name} is no RFC 3339 time")


def address(content: dict[str, Any], name: str) -> str:
    """Return the host of a field that must be an https address; plain http only on this machine."""
    parts = urlsplit(text(content, name))
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not parts.hostname or not secure or parts.username is not None:
        raise Unmet(f"field {name} is no https address")
    return parts.netloc


def status(content: dict[str, Any]) -> Status:
    """Return what a status answer says, whichever its shape; raise Unmet for a fourth one."""
    if "exists" not in content:
        return _documented_status(content)
    exists = content["exists"]
    if not isinstance(exists, bool):
        raise Unmet(f"field exists is {_kind(exists)}, not true or false")
    if not exists:
        return Status(False, None)
    word = content.get("status")
    if word is not None and (not isinstance(word, str) or word == "none"):
        raise Unmet("field status contradicts exists")
    name = "stripe_subscription_id" if "stripe_subscription_id" in content else "subscription_id"
    subscription_id = reference(content, name)
    moment(content, "period_end" if "period_end" in content else "current_period_end", optional=True)
    return Status(True, AnswerShape.OPENAPI if word else AnswerShape.RUNNING, subscription_id)


def _documented_status(content: dict[str, Any]) -> Status:
    if "status" not in content:
        raise Unmet("neither field exists nor field status is there")
    if text(content, "status") == "none":
        return Status(False, AnswerShape.DOCUMENTED)
    subscription_id = reference(content, "subscription_id")
    moment(content, "current_period_end", optional=True)
    return Status(True, AnswerShape.DOCUMENTED, subscription_id)


def _said(reply: ServiceReply) -> str:
    code = error_code(reply)
    return f" {code}" if code else ""


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), "an empty text" if value == "" else "a text")
