"""Stripe's error objects (https://docs.stripe.com/api/errors): a type, mostly a code, and the parameter at fault."""

from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_DOCS: Final = "https://docs.stripe.com/error-codes/"


class StripeProblem(Exception):
    """A call that Stripe refuses: the answer to it."""

    def __init__(self, status: int, kind: str, message: str, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.code, self.param = status, kind, message, code, param

    def body(self) -> dict[str, object]:
        """The body without the request's id."""
        error: dict[str, object] = {"message": self.message, "type": self.kind}
        if self.code:
            error |= {"code": self.code, "doc_url": _DOCS + self.code.replace("_", "-")}
        if self.param:
            error["param"] = self.param
        return error


def bad_request(message: str, code: str = "", param: str = "", status: int = 400) -> StripeProblem:
    return StripeProblem(status, "invalid_request_error", message, code, param)


def no_such(kind: str, key: str, param: str = "") -> StripeProblem:
    """Something that isn't there: 404 for the one in the path, 400 for one that a parameter names."""
    status = 400 if param else 404
    return bad_request(f"No such {kind}: '{key}'", "resource_missing", param or "id", status)


def problem_of(error: ValidationError) -> StripeProblem:
    """The first of what is wrong with parameters, as Stripe words it."""
    first = error.errors()[0]
    param = _name(first["loc"])
    code, message = _WORDED.get(first["type"], ("", "Invalid {param}: {reason}."))
    if first["type"] == "value_error":
        message = "{reason}"
    return bad_request(message.format(param=param, given=first["input"], reason=_reason(first)), code, param)


_WORDED: Final = {
    "missing": ("parameter_missing", "Missing required param: {param}."),
    "extra_forbidden": ("parameter_unknown", "Received unknown parameter: {param}"),
    "int_parsing": ("parameter_invalid_integer", "Invalid integer: {given}"),
    "int_type": ("parameter_invalid_integer", "Invalid integer: {given}"),
    "string_too_short": ("parameter_invalid_empty", "You passed an empty string for '{param}'."),
    "bool_parsing": ("", "Invalid boolean: {given}"),
}


def _reason(error: ErrorDetails) -> str:
    raised = error.get("ctx", {}).get("error")
    return str(raised) if raised else error["msg"].lower()


def _name(place: tuple[int | str, ...]) -> str:
    """`items[0][price]`"""
    return "".join(f"[{part}]" if at else str(part) for at, part in enumerate(place))
