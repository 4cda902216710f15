"""`make sbom`: all that is locked is listed, with its hashes, and the same locks give the same bytes."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[3]
INSTALLED = [f"--old-file=.venv/.installed-{name}" for name in ("run", "dev")]
"""Has make believe that the packages are installed: a test installs none."""


def make_sbom(folder: Path) -> dict[str, bytes]:
    """Run `make sbom` and return what it wrote."""
    subprocess.run(["make", "--silent", *INSTALLED, "sbom", f"SBOM_FOLDER={folder}"], cwd=ROOT, check=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return make_sbom(tmp_path_factory.mktemp("sbom"))


def document(written: dict[str, bytes], name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written[name])
    return found


@pytest.mark.parametrize(("name", "lock"), [("sbom.cdx.json", "run"), ("sbom-otel.cdx.json", "otel")])
def test_every_locked_package_is_listed_with_its_version_and_hashes(
    written: dict[str, bytes], name: str, lock: str
) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==([^ ;]+)", text, re.MULTILINE)
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", text)

    components = document(written, name)["components"]
    files = [file for one in components for file in one["externalReferences"] if file["type"] == "distribution"]

    assert {(one["name"], one["version"]) for one in components} == set(pins)
    assert len(components) == len(pins) > 50
    assert {digest["content"] for file in files for digest in file["hashes"]} == set(hashes)
    assert all(one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}" for one in components)


def test_it_says_what_it_is(written: dict[str, bytes]) -> None:
    made = document(written, "sbom.cdx.json")

    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["name"] == "billing-front-end"
    assert made["metadata"]["component"]["licenses"][0]["license"]["id"] == "MIT"


def test_the_same_locks_give_the_same_bytes(written: dict[str, bytes], tmp_path: Path) -> None:
    assert make_sbom(tmp_path) == written
