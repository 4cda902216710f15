"""What is wrong with an answer by the typed attributes of Stripe's own library: names, types, closed words."""

import typing
from collections.abc import Iterator
from decimal import Decimal
from types import UnionType
from typing import Any

import stripe
from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject


def problems(shape: type[StripeObject], value: object, path: str = "") -> Iterator[str]:
    """Every field of an answer that the library has not, every one it needs, every one of another type."""
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    hints = _hints(shape)
    for name in value.keys() - hints.keys():
        yield f"{path}.{name}: unknown to {shape.__qualname__}"
    for name, hint in hints.items():
        if name in value:
            yield from _problems(hint, value[name], f"{path}.{name}")
        elif type(None) not in typing.get_args(hint):
            yield f"{path}.{name}: missing"


def _problems(hint: Any, value: object, path: str) -> Iterator[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        found = [list(_problems(one, value, path)) for one in _arms(arguments, value)]
        yield from min(found, key=len, default=[f"{path}: {value!r} is not {hint}"])
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is none of {arguments[:9]}"
    elif origin is list:
        for place, one in enumerate(value if isinstance(value, list) else [value]):
            yield from _problems(arguments[0], one, f"{path}[{place}]")
    elif origin is ListObject and isinstance(value, dict):
        for place, one in enumerate(value["data"]):
            yield from _problems(arguments[0], one, f"{path}.data[{place}]")
    elif origin is UntypedStripeObject or hint is Any:
        if hint is not Any and not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        yield from problems(hint, value, path)
    elif not _is(hint, value):
        yield f"{path}: {value!r} is not {hint}"


def _arms(arguments: tuple[Any, ...], value: object) -> list[Any]:
    """The parts of a union that this value can be. A word is one of the known ones, though the library takes any."""
    if value is None:
        return [type(None)] if type(None) in arguments else []
    words = [one for one in arguments if typing.get_origin(one) is typing.Literal]
    if isinstance(value, str) and words:
        return words
    plain = (str, int, bool, float) if isinstance(value, dict) else ()
    return [one for one in arguments if one is not type(None) and one not in plain]


def _is(hint: Any, value: object) -> bool:
    if hint is Decimal:
        return isinstance(value, str) and Decimal(value).is_finite()
    if hint is float:
        return isinstance(value, int | float)
    return type(value) is hint


class _Names(dict[str, Any]):
    """Names that the library imports for type checkers alone."""

    def __missing__(self, name: str) -> Any:
        if hasattr(typing, name) or name in ("Decimal", "str", "int", "bool", "float"):
            raise KeyError(name)
        return getattr(stripe, name.removesuffix("Resource"), StripeObject)


def _hints(shape: type[StripeObject]) -> dict[str, Any]:
    own = {name for base in shape.__mro__ if base is not StripeObject for name in vars(base).get("__annotations__", {})}
    hints = typing.get_type_hints(shape, localns=_Names())
    return {name: hint for name, hint in hints.items() if name in own and not name.startswith("_") and name.islower()}
