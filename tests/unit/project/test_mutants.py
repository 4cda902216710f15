"""Mutants of the rules: what is changed, how it gets into a loaded module, and that no module is left out."""

from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code

from tools.mutant_code import changed_functions
from tools.mutant_sample import configuration, sample
from tools.mutation_operators import OPERATORS

ROOT = Path(__file__).resolve().parents[3]
RULES = ("services/subscription", "services/checkout", "services/claims")
TEXTS = {"services/claims/rules.py"}


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        ("RemoveCall", "async def f():\n    await g(1)\n", "async def f():\n    None\n"),
        ("RemoveCall", "def f():\n    x = g(1)\n", None),
        ("RemoveCall", 'def f():\n    """Say."""\n', None),
        ("OtherMember", "a, b = State.ON, State.OFF\n", "a, b = State.OFF, State.OFF\n"),
        ("OtherMember", "a = State.ON\n", None),
        ("OtherMember", "a = State.lower, other.ON\n", None),
        ("OppositeFunction", "a = max(b, c)\n", "a = min(b, c)\n"),
        ("OppositeFunction", "a = any(b)\n", "a = all(b)\n"),
        ("OppositeFunction", "max = 1\n", None),
    ],
)
def test_what_an_operator_changes(operator: str, before: str, after: str | None) -> None:
    assert mutate_code(before, OPERATORS[operator](), 0) == after


@pytest.mark.parametrize(
    ("before", "after", "functions"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 2\n", {"f"}),
        ("class A:\n    def f(self):\n        return 1\n", "class A:\n    def f(self):\n        return 2\n", {"A.f"}),
        ("A = 1\n", "A = 2\n", None),
        ("class A:\n    a = 1\n", "class A:\n    a = 2\n", None),
        ("def f(a=1):\n    return a\n", "def f(a=2):\n    return a\n", None),
        ("A = {1: 2}\n", "A = {1: 3}\n", None),
    ],
)
def test_only_the_inside_of_functions_is_exchanged(before: str, after: str, functions: set[str] | None) -> None:
    changed = changed_functions(before, after)

    assert (changed.keys() if changed is not None else None) == functions


def test_every_module_of_the_rules_has_tests_that_guard_it() -> None:
    modules = configuration().modules
    found = {str(path.relative_to(ROOT)) for folder in RULES for path in (ROOT / folder).glob("[!_]*.py")}

    assert found - TEXTS <= modules.keys()
    for module, files in modules.items():
        assert all((ROOT / name).is_file() for name in (module, *files))


@pytest.mark.slow
def test_the_sample_is_the_same_each_time_and_as_large_as_said() -> None:
    wanted = configuration().model_copy(update={"modules": {"services/portal.py": (), "services/claims/offers.py": ()}})

    (first, pool), (second, _pool) = sample(wanted), sample(wanted)

    assert first == second
    assert len({(one.identity, one.line) for one in first}) <= len(first) == min(pool, wanted.sample)
