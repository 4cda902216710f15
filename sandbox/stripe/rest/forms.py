"""Form-encoded parameters with nested brackets, as Stripe's libraries send them: `items[0][price]=…`, `expand[]=…`."""

import re
from typing import Annotated, Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from pydantic import BeforeValidator

from sandbox.stripe.rest.problems import bad_request

Tree: TypeAlias = dict[str, "str | Tree"]

_PARTS: Final = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")

T = TypeVar("T")


def read_form(text: str) -> Tree:
    """The parameters as a tree; lists are numbered (see `Many`). Raises StripeProblem for what can't be one."""
    tree: Tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=1000):
        match = _PARTS.match(name)
        if match is None:
            raise bad_request(f"Invalid parameter name: {name}")
        _put(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value, name)
    return tree


def _put(tree: Tree, path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        inner = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(inner, dict):
            raise bad_request("Invalid object: a text and its parts can't both be given.", param=name)
        tree = inner
    tree[path[-1] or str(len(tree))] = value


def _as_list(value: object) -> object:
    """A numbered tree as the list that it was; an empty text unsets a list."""
    if value == "":
        return []
    if isinstance(value, dict) and all(str(key).isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


Many = Annotated[list[T], BeforeValidator(_as_list)]
"""A list among the parameters."""
