"""What a mutant changes beside cosmic-ray's own operators: what the rules here are made of.

A rule names members of closed sets (`State.ACTIVE`), takes the earliest, the latest, any or all of several, and leaves
a note for others by a call whose result nobody uses. Cosmic-ray changes none of these.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from parso.python.tree import Name, PythonNode
from parso.tree import BaseNode, Leaf, NodeOrLeaf

Position = tuple[tuple[int, int], tuple[int, int]]

OPPOSITES: Final[Mapping[str, str]] = {"min": "max", "max": "min", "any": "all", "all": "any"}


class MutationOperator(Protocol):
    """The part of cosmic-ray's `Operator` that finds and makes mutants."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[Position]:
        """Return where this node can be changed, once for each way."""
        ...

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Change the node in that way and return it."""
        ...


class RemoveCall:
    """Leaves out a call whose result is not used, awaited or not."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """The first thing of a statement line, where that is a call."""
        call = _called(node)
        if call is not None:
            yield call.start_pos, call.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put `None` in its place."""
        assert isinstance(node, BaseNode)  # noqa: S101 - only such nodes have a position here
        call = node.children[0]
        node.children[0] = Name("None", call.start_pos, prefix=call.get_first_leaf().prefix)
        return node


class OtherMember:
    """Names another member of a closed set: the next one of the same enum that the module names."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """`Enum.MEMBER`, unless the module names no other."""
        member = _member(node)
        if member is not None and _next_member(node, *member) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put the next member's name in its place."""
        assert isinstance(node, BaseNode)  # noqa: S101
        member, leaf = _member(node), node.children[1].get_last_leaf()
        leaf.value = (member and _next_member(node, *member)) or leaf.value
        return node


class OppositeFunction:
    """Takes the earliest for the latest, all for any, and the other way round."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """A call of one of these functions."""
        following = node.get_next_leaf() if isinstance(node, Name) else None
        if isinstance(node, Name) and node.value in OPPOSITES and following is not None and following.value == "(":
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put the other function's name in its place."""
        assert isinstance(node, Leaf)  # noqa: S101
        node.value = OPPOSITES[node.value]
        return node


OPERATORS: Final[Mapping[str, type[MutationOperator]]] = {
    "RemoveCall": RemoveCall,
    "OtherMember": OtherMember,
    "OppositeFunction": OppositeFunction,
}


def _called(node: NodeOrLeaf) -> NodeOrLeaf | None:
    if node.type != "simple_stmt" or not isinstance(node, BaseNode):
        return None
    first = node.children[0]
    ends_as_call = first.type in ("atom_expr", "power") and first.get_last_leaf().value == ")"
    return first if ends_as_call else None


def _member(node: NodeOrLeaf) -> tuple[str, str] | None:
    """Return the name of the enum and of the member, if that is what the node begins with."""
    if node.type not in ("atom_expr", "power") or not isinstance(node, PythonNode):
        return None
    owner, trailer = node.children[0], node.children[1]
    if not isinstance(owner, Name) or not owner.value[0].isupper() or trailer.get_first_leaf().value != ".":
        return None
    member = trailer.get_last_leaf().value
    return (owner.value, member) if member.isupper() else None


def _next_member(node: NodeOrLeaf, owner: str, member: str) -> str | None:
    """Return the member of that enum that is next in the alphabet of those the module names."""
    named = sorted({found[1] for one in _below(node.get_root_node()) if (found := _member(one)) and found[0] == owner})
    others = [*named[named.index(member) + 1 :], *named[: named.index(member)]]
    return others[0] if others else None


def _below(node: NodeOrLeaf) -> Iterator[NodeOrLeaf]:
    yield node
    if isinstance(node, BaseNode):
        for child in node.children:
            yield from _below(child)
