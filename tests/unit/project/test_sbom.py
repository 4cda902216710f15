"""`make sbom`: all that is locked is listed, once, and the same locks give the same bytes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools import sbom

ROOT = Path(__file__).resolve().parents[3]
PROJECT = {"name": "x", "version": "1", "description": "", "license": "MIT"}
HASH = "0" * 64


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    sbom.main([str(tmp_path / "sbom.json")])
    made: dict[str, Any] = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    return made


@pytest.mark.parametrize(("lock", "scopes"), [("run", {"required"}), ("otel", {"required", "optional"})])
def test_every_locked_package_is_listed_with_its_version_and_hashes(
    written: dict[str, Any], lock: str, scopes: set[str]
) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==([^ ;]+)", text, re.MULTILINE)

    listed = {(one["name"], one["version"]) for one in written["components"] if one["scope"] in scopes}

    assert listed == set(pins)
    assert len(pins) > 50
    for one in written["components"]:
        (files,) = one["externalReferences"]
        assert files["hashes"]
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest["content"]) for digest in files["hashes"])


def test_it_says_what_it_is_and_each_reference_stands_once(written: dict[str, Any]) -> None:
    references = [one["bom-ref"] for one in written["components"]]

    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", written["serialNumber"])
    assert len(set(references)) == len(references)
    assert written["dependencies"][0]["dependsOn"] == sorted(references)
    assert written["metadata"]["component"]["name"] == "billing-front-end"


def test_the_same_locks_give_the_same_document_and_others_another_number() -> None:
    one = sbom.document(PROJECT, f"a==1 \\\n    --hash=sha256:{HASH}\n", "")
    same = sbom.document(PROJECT, f"a==1 \\\n    --hash=sha256:{HASH}\n", "")
    other = sbom.document(PROJECT, f"a==2 \\\n    --hash=sha256:{HASH}\n", "")

    assert one == same
    assert one["serialNumber"] != other["serialNumber"]


def test_names_extras_and_markers_are_read() -> None:
    text = f"# c\nPy_Yaml.x[one,two]==1.2.post1 ; python_version < '3.13' \\\n    --hash=sha256:{HASH}\n"
    (package,) = sbom.locked(text)

    assert package.purl == "pkg:pypi/py-yaml-x@1.2.post1"
    assert package.marker == "python_version < '3.13'"
    assert package.hashes == (HASH,)


def test_a_line_that_is_no_package_is_not_left_out_in_silence() -> None:
    with pytest.raises(ValueError, match="line 1"):
        sbom.locked("-e ../somewhere\n")
