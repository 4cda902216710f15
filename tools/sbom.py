"""`make sbom`: every package inside the app, as CycloneDX 1.6 JSON, written from the locks.

    python -m tools.sbom [FILE]

The same locks give the same bytes: the serial number is made of them, and no time is written. Packages that only
OpenTelemetry needs are optional.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = "sbom.cdx.json"
_PACKAGE: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package at one version, the hashes of its files, and on which systems it is installed (empty: on all)."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL, which is also its reference in the document."""
        return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{self.version}"


def locked(text: str) -> list[Locked]:
    """Return the packages of a lock. Raises ValueError for a line that is none, so that nothing is left out."""
    packages: list[tuple[re.Match[str], list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        digest, package = _HASH.search(line), _PACKAGE.match(line)
        if digest is not None and packages:
            packages[-1][1].append(digest[1])
        elif package is not None:
            packages.append((package, []))
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"line {number} of the lock is neither a package nor a hash: {line!r}")
    return [Locked(m["name"], m["version"], m["marker"] or "", tuple(found)) for m, found in packages]


def document(project: dict[str, Any], required: str, optional: str) -> dict[str, Any]:
    """Return the CycloneDX document of a project, by the texts of its two locks."""
    always = locked(required)
    names = {package.purl for package in always}
    also = [package for package in locked(optional) if package.purl not in names]
    root = f"{project['name']}@{project['version']}"
    digest = hashlib.sha256(f"{root}\n{required}\n{optional}".encode()).hexdigest()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": [_component(one, "required") for one in always] + [_component(one, "optional") for one in also],
        "dependencies": [{"ref": root, "dependsOn": sorted(one.purl for one in (*always, *also))}],
    }


def _component(package: Locked, scope: str) -> dict[str, Any]:
    """Return one package. Each of its files has a hash of its own, so they stand with its distribution."""
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "scope": scope,
        "purl": package.purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": package.purl,
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
            }
        ],
    }
    if package.marker:
        component["properties"] = [{"name": "python:marker", "value": package.marker}]
    return component


def main(arguments: Sequence[str]) -> int:
    """Write the document and say how many packages it holds."""
    target = Path(arguments[0]) if arguments else ROOT / TARGET
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required, optional = (
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("run", "otel")
    )
    made = document(project, required, optional)
    target.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(made['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
