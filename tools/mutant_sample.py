"""Which mutants there are of the modules in `tools/mutants.toml`, and the fixed sample of them that is run.

A mutant is known by what it changes and where (module, function, line of code), not by a line's number, and the sample
takes those whose digest is the least. So a change of the code replaces only the mutants of the lines that it touches.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from parso.tree import NodeOrLeaf
from pydantic import BaseModel, ConfigDict, Field

from tools.mutation_operators import OPERATORS, MutationOperator

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIGURATION: Final = ROOT / "tools" / "mutants.toml"


class Equivalent(BaseModel):
    """A mutant that no test can notice, and why not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    within: str
    was: str
    becomes: str
    because: str = Field(min_length=20)


class Configuration(BaseModel):
    """What `tools/mutants.toml` says; `modules` names for each module the test files that guard it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    sample: int
    wanted: float
    operators: tuple[str, ...]
    unmutated: tuple[str, ...]
    environment: Mapping[str, str]
    modules: Mapping[str, tuple[str, ...]]
    equivalent: tuple[Equivalent, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleMutant:
    """One change of one module. `was` and `becomes` are the lines that differ, without their indentation."""

    module: str
    within: str
    operator: str
    line: int
    was: str
    becomes: str
    code: str

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What a known equivalent is compared by."""
        return self.module, self.within, self.was, self.becomes


@dataclass(frozen=True, slots=True)
class _Place:
    module: str
    within: str
    operator: str
    occurrence: int
    line: int
    digest: str


def configuration() -> Configuration:
    """Read `tools/mutants.toml`."""
    return Configuration.model_validate(tomllib.loads(CONFIGURATION.read_text(encoding="utf-8")))


def sample(wanted: Configuration, root: Path = ROOT) -> tuple[Sequence[RuleMutant], int]:
    """Return the sample, module by module, and how many mutants there are to take it from."""
    places = [place for module in wanted.modules for place in _places(root, module, wanted)]
    taken = sorted(places, key=lambda place: place.digest)[: wanted.sample]
    modules = list(wanted.modules)
    ordered = sorted(taken, key=lambda place: (modules.index(place.module), place.line, place.digest))
    return [_mutant(root, place) for place in ordered], len(places)


def _places(root: Path, module: str, wanted: Configuration) -> Iterator[_Place]:
    source = (root / module).read_text(encoding="utf-8")
    lines = source.splitlines()
    nodes = list(ast_nodes(get_ast(source)))
    for name in wanted.operators:
        found = [(node, index, start) for node in nodes for index, start in _positions(_operator(name), node)]
        seen: Counter[str] = Counter()
        for occurrence, (node, index, (line, column)) in enumerate(found):
            text = lines[line - 1]
            if text.strip().startswith(wanted.unmutated) or _statement(node, lines).startswith(wanted.unmutated):
                continue
            if text[column:].startswith("*,"):
                continue  # no product, but where the arguments with names begin
            within = ASTQuery(node).get_definition_name() or ""
            indentation = len(text) - len(text.lstrip())
            place = f"{wanted.seed}:{module}:{within}:{name}:{index}:{column - indentation}:{text.strip()}"
            seen[place] += 1
            digest = sha256(f"{place}:{seen[place]}".encode()).hexdigest()
            yield _Place(module, within, name, occurrence, line, digest)


def _positions(operator: MutationOperator, node: NodeOrLeaf) -> Iterator[tuple[int, tuple[int, int]]]:
    return ((index, start) for index, (start, _end) in enumerate(operator.mutation_positions(node)))


def _statement(node: NodeOrLeaf, lines: Sequence[str]) -> str:
    """Return the first line of the statement that the node belongs to."""
    while node.parent is not None and node.type != "simple_stmt":
        node = node.parent
    return lines[node.start_pos[0] - 1].strip() if node.type == "simple_stmt" else ""


def _operator(name: str) -> MutationOperator:
    if name in OPERATORS:
        return OPERATORS[name]()
    found: MutationOperator = get_operator(f"core/{name}")()
    return found


def _mutant(root: Path, place: _Place) -> RuleMutant:
    source = (root / place.module).read_text(encoding="utf-8")
    code = mutate_code(source, _operator(place.operator), place.occurrence)
    if not isinstance(code, str):
        raise TypeError(f"{place.operator} makes nothing of {place.module}:{place.line}")
    pairs = zip(source.splitlines(), code.splitlines(), strict=False)
    number, was, becomes = next((at, old, new) for at, (old, new) in enumerate(pairs, 1) if old != new)
    return RuleMutant(
        place.module, place.within, place.operator, number, " ".join(was.split()), " ".join(becomes.split()), code
    )
