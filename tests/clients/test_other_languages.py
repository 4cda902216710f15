"""The clients for Node and Go pass their own tests, with the vectors that the Python client passes too."""

import json
import re

import pytest

from clients.make_vectors import vectors
from tests.clients.languages import CLIENTS, GO_FOLDER, NODE_FOLDER, go_environment, needs_go, needs_node, run

VECTORS = json.loads((CLIENTS / "vectors.json").read_text(encoding="utf-8"))
NAMES = [one["name"] for one in (*VECTORS["tokens"], *VECTORS["webhooks"]["posts"])]


def test_the_file_of_vectors_has_every_case() -> None:
    made = vectors()

    assert [one["name"] for one in (*made["tokens"], *made["webhooks"]["posts"])] == NAMES
    assert {one["name"]: one["good"] for one in made["tokens"]} == {
        one["name"]: one["good"] for one in VECTORS["tokens"]
    }
    assert (made["features"], made["webhooks"]) == (VECTORS["features"], VECTORS["webhooks"])


@needs_node
def test_the_node_client_passes_every_vector() -> None:
    printed = run(["node", "--test", "--test-reporter=tap", "test/billing.test.js"], NODE_FOLDER)

    assert re.search(r"^# fail 0$", printed, re.MULTILINE)
    passed = re.findall(r"^ *ok \d+ - (?:a token|a webhook) is (?:taken|refused): (.+)$", printed, re.MULTILINE)
    assert passed == NAMES


@needs_node
def test_the_node_clients_types_say_what_it_does() -> None:
    run(["npm", "run", "--silent", "types"], NODE_FOLDER)


@needs_go
def test_the_go_client_passes_every_vector() -> None:
    assert run(["gofmt", "-l", "."], GO_FOLDER) == ""
    printed = run(["go", "test", "-v", "./..."], GO_FOLDER, go_environment())

    passed = re.findall(r"^ +--- PASS: TestA(?:Token|Webhook)IsTakenOrRefused/(\S+)", printed, re.MULTILINE)
    assert [re.sub(r"#\d+$", "", name) for name in passed] == [name.replace(" ", "_") for name in NAMES]


def test_the_lock_holds_packages_by_hash_and_names_no_registry() -> None:
    lock = json.loads((NODE_FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    package = json.loads((NODE_FOLDER / "package.json").read_text(encoding="utf-8"))
    packages = {path: one for path, one in lock["packages"].items() if path}

    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert not any("resolved" in one for one in packages.values())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""][kind] == package[kind]


@pytest.mark.parametrize("name", ["jose", "standardwebhooks"])
def test_the_node_client_needs_two_packages(name: str) -> None:
    package = json.loads((NODE_FOLDER / "package.json").read_text(encoding="utf-8"))

    assert set(package["dependencies"]) == {"jose", "standardwebhooks"}
    assert f'from "{name}"' in (NODE_FOLDER / "billing.js").read_text(encoding="utf-8")
