"""The house in order: no flat floors, no circle of files, nothing untyped at the doors, no two classes of one name.

import-linter sees to the one way between packages and inside them; here is what it doesn't look at: the modules beside
the packages, imports inside functions and for types only, and names.
"""

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tools.compat import RELEASES
from ui.nicegui_ext.template import KNOWN_STARTUPS

ROOT = Path(__file__).resolve().parents[3]
ABOVE = {"app", "api", "ui", "services", "sandbox", "contract", "nicegui", "fastapi", "httpx"}
BOTTOM = sorted(path.name for path in ROOT.glob("*.py") if path.name != "app.py")
DOORS = ("services", "ui", "api", "wiring")
MOST_ON_A_FLOOR, MOST_IN_A_ROOM = 14, 18
"""Modules directly in `services/` or `ui/`, which have rooms; and in one room, or in `api/` and `wiring/`."""
SAME_NAME = "# the same name as "
"""A comment behind `class X:` that says whose name it shares, and why."""


@dataclass(frozen=True)
class ModuleRead:
    """What is asked here of a module. The trees themselves are not kept: they are half a million objects."""

    imports: frozenset[str]
    classes: tuple[str, ...]
    """Public ones at its top that don't say whose name they share."""
    writes_any: bool


@cache
def sources() -> dict[Path, ModuleRead]:
    """Every module of the project, read."""
    paths = [
        path for path in ROOT.rglob("*.py") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    return {path.relative_to(ROOT): source(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def source(text: str) -> ModuleRead:
    tree, lines = ast.parse(text), text.splitlines()
    return ModuleRead(
        frozenset(imported(tree)),
        tuple(node.name for node in top_classes(tree) if SAME_NAME not in lines[node.lineno - 1]),
        any(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree)),
    )


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every name that a module may import, anywhere in it: `a.b` and `a.b.c` for `from a.b import c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circle(files: dict[Path, ModuleRead]) -> list[str]:
    """One circle of modules that import each other, if there is one. A package and what is in it count as one way."""
    modules = {module_of(path): found for path, found in files.items()}
    graph = {
        module: {
            name
            for name in found.imports
            if name in modules and not f"{name}.".startswith(f"{module}.") and not f"{module}.".startswith(f"{name}.")
        }
        for module, found in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        around: list[str] = error.args[1]
        return around
    return []


def top_classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


@pytest.mark.parametrize("name", BOTTOM)
def test_module_at_the_bottom_imports_nothing_above_it(name: str) -> None:
    assert {top.partition(".")[0] for top in sources()[Path(name)].imports} & ABOVE == set()


def test_catalog_and_settings_do_not_know_each_other() -> None:
    of_catalog, of_settings = (sources()[Path(f"{name}.py")].imports for name in ("catalog", "settings"))

    assert of_catalog & {"settings", "settings_rules", "settings_sources"} == set()
    assert of_settings & {"catalog", "catalog_rules", "catalog_features", "money"} == set()


def test_no_folder_is_a_flat_floor() -> None:
    floors = Counter(path.parent for path in sources() if path.name != "__init__.py" and path.parts[0] in DOORS)

    most = {folder: MOST_ON_A_FLOOR if str(folder) in ("services", "ui") else MOST_IN_A_ROOM for folder in floors}
    assert {str(folder): count for folder, count in floors.items() if count > most[folder]} == {}


def test_no_files_import_each_other_in_a_circle_lazily_or_for_types_either() -> None:
    assert circle(sources()) == []


def test_a_circle_through_a_lazy_import_would_be_found() -> None:
    one = source("from b import y")
    other = source("def y():\n    from a import x")

    assert set(circle({Path("a.py"): one, Path("b.py"): other})) == {"a", "b"}


def test_any_is_written_at_no_door_but_those_that_mypy_excepts_with_a_reason() -> None:
    written = {module_of(path) for path, found in sources().items() if path.parts[0] in DOORS and found.writes_any}
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    typed, excepted = (
        {name for one in overrides if one.get("disallow_any_explicit") is strict for name in one["module"]}
        for strict in (True, False)
    )

    assert typed == {f"{door}.*" for door in DOORS}
    assert {module for module in written if not any(fnmatch(module, pattern) for pattern in excepted)} == set()


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path, found in sources().items():
        for name in found.classes:
            places[name].append(str(path))

    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_what_leans_on_niceguis_inside_says_which_release_and_why() -> None:
    modules = sorted((ROOT / "ui" / "nicegui_ext").glob("[a-z]*.py"))
    texts = {path.name: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in modules}

    assert [name for name, text in texts.items() if not re.search(r"Written against NiceGUI 3\.\d+[,:]", text)] == []


def test_the_known_startups_are_those_of_the_table() -> None:
    table = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`([0-9a-f]{12})` \|", table)) == KNOWN_STARTUPS
    assert set(re.findall(r"^\| (3\.[0-9.]+) \| works \| works \|", table, re.MULTILINE)) == set(RELEASES)
