"""The types that `openapi-typescript` makes of the OpenAPI document fit code that was written against its names."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "typescript"
TOOLS = FOLDER / "node_modules" / ".bin"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (TOOLS / "openapi-typescript").exists(),
    reason="needs Node, and the packages that `make test-clients` installs",
)


def test_code_that_uses_the_names_compiles_and_a_wrong_word_does_not(tmp_path: Path, openapi_file: Path) -> None:
    usage = shutil.copy(FOLDER / "usage.ts", tmp_path)
    types = str(tmp_path / "billing.d.ts")
    make = [str(TOOLS / "openapi-typescript"), str(openapi_file), "--output", types, "--default-non-nullable=false"]
    subprocess.run(make, check=True, capture_output=True, timeout=120)

    options = "--noEmit --strict --target es2022 --module esnext --moduleResolution bundler"
    compiled = subprocess.run(
        [str(TOOLS / "tsc"), *options.split(), str(usage)], capture_output=True, text=True, timeout=120, check=False
    )

    assert (compiled.stdout, compiled.returncode) == ("", 0)  # `@ts-expect-error` there is the wrong word
