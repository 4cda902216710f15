"""What `make release` builds: what can be published, the same from the same tree, with nothing beside it."""

import hashlib
import re
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tools import release
from version import VERSION

ROOT = Path(__file__).resolve().parents[3]
LEFT_OUT = re.compile(r"^(tests|tools|docs|\.git|\.env)|__pycache__|\.sqlite3|secret$")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm packs the Node client, and is not here"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    release.main(folder)
    return folder


def test_everything_that_can_be_published_is_built_and_has_a_checksum(built: Path) -> None:
    sums = dict(line.split("  ")[::-1] for line in (built / "SHA256SUMS").read_text().splitlines())

    assert set(sums) == {
        "RELEASE_NOTES.md",
        f"billing-front-end-{VERSION}-image.tar.gz",
        f"billing_entitlements-{VERSION}-py3-none-any.whl",
        f"billing_entitlements-{VERSION}.tar.gz",
        f"billing-entitlements-{VERSION}.tgz",
        f"billing-go-v{VERSION}.zip",
    }
    assert sums == {name: hashlib.sha256((built / name).read_bytes()).hexdigest() for name in sums}


def test_the_same_tree_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    release.main(tmp_path)

    assert (tmp_path / "SHA256SUMS").read_text() == (built / "SHA256SUMS").read_text()


def test_the_images_context_holds_what_it_is_built_from_and_nothing_else(built: Path) -> None:
    with tarfile.open(built / f"billing-front-end-{VERSION}-image.tar.gz") as archive:
        names = archive.getnames()

    assert {"app.py", "deploy/Dockerfile", "requirements/run.txt", "products.json"} <= set(names)
    assert not [name for name in names if LEFT_OUT.search(name)]


def test_each_client_is_a_package_of_the_release(built: Path) -> None:
    with zipfile.ZipFile(built / f"billing_entitlements-{VERSION}-py3-none-any.whl") as wheel:
        client = wheel.read("billing_entitlements/__init__.py")
    with zipfile.ZipFile(built / f"billing-go-v{VERSION}.zip") as module:
        inside = {name.removeprefix(f"example.com/billing@v{VERSION}/") for name in module.namelist()}
    with tarfile.open(built / f"billing-entitlements-{VERSION}.tgz") as package:
        packed = set(package.getnames())

    assert client == (ROOT / "clients" / "python" / "billing_entitlements.py").read_bytes()
    assert {"go.mod", "billing.go", "http.go", "LICENSE"} <= inside
    assert packed == {"package/package.json", "package/billing.js", "package/billing.d.ts"}


def test_the_python_client_has_the_releases_version_and_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "clients" / "python" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "clients" / "python" / "billing_entitlements.py").read_text(encoding="utf-8")

    assert project["version"] == VERSION
    named = {re.split(r"[<>=]", one)[0] for one in project["dependencies"]}
    assert named == {"httpx", "joserfc"}
    assert all(re.search(rf"^(import|from) {name}\b", text, re.MULTILINE) for name in named)


def test_the_notes_are_those_of_the_version(built: Path) -> None:
    notes = (built / "RELEASE_NOTES.md").read_text(encoding="utf-8")

    assert notes.startswith(f"# {VERSION}\n")
    assert "\n## [" not in notes
