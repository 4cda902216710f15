"""`make audit`: whether a locked package is known to be vulnerable, asked with pip-audit in a venv of its own.

    python -m tools.audit [FILE …]

pip-audit ends with 0 when it could ask about nothing. So a probe comes first: a version that is known to be vulnerable.
Only a source that reports the probe is believed about the rest. Ends with 1 when no source does, when a package can't
be asked about, and when one is known to be vulnerable.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = ROOT / "requirements" / "audit.txt"
AUDITED: Final = (ROOT / "requirements" / "run.txt", ROOT / "requirements" / "otel.txt")

PROBE: Final = "jinja2==2.4.1"
SOURCES: Final = ("pypi", "osv")
ALWAYS: Final = ("--disable-pip", "--progress-spinner=off")
UNREACHABLE: Final = (
    f"No source of advisories is reachable: none of {', '.join(SOURCES)} reports {PROBE}, which is known to be "
    "vulnerable. Nothing was audited."
)


class AuditRun(NamedTuple):
    """How a run of pip-audit ended."""

    code: int
    output: str
    errors: str


Ask = Callable[[Sequence[str]], AuditRun]


def main(files: Sequence[str]) -> int:
    """Install pip-audit into a temporary venv and audit the files; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        python = _installed(Path(folder))
        if python is None:
            print("pip-audit can't be installed here. Nothing was audited.", file=sys.stderr)
            return 1
        return audit(_asked_by(python), [Path(name) for name in files] or list(AUDITED), Path(folder))


def audit(ask: Ask, files: Sequence[Path], folder: Path) -> int:
    """Audit the files with the first source that reports the probe; return 0 if all of them are clean."""
    probe = folder / "probe.txt"
    probe.write_text(f"{PROBE}\n", encoding="ascii")
    source = next((source for source in SOURCES if _reports(ask, probe, source)), None)
    if source is None:
        print(UNREACHABLE, file=sys.stderr)
        return 1
    codes = [_audit_one(ask, file, source) for file in files]
    return max(codes, default=0)


def _reports(ask: Ask, probe: Path, source: str) -> bool:
    told = ask([f"--requirement={probe}", "--no-deps", *ALWAYS, f"--vulnerability-service={source}", "--format=json"])
    try:
        found = json.loads(told.output)["dependencies"]
        return any(package.get("vulns") for package in found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _audit_one(ask: Ask, file: Path, source: str) -> int:
    print(f"{file.name}, by {source}:", flush=True)
    told = ask([f"--requirement={file}", "--require-hashes", "--strict", *ALWAYS, f"--vulnerability-service={source}"])
    print(told.output + told.errors, end="", flush=True)
    return 1 if told.code else 0


def _asked_by(python: Path) -> Ask:
    def ask(arguments: Sequence[str]) -> AuditRun:
        ended = subprocess.run(
            [python, "-m", "pip_audit", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
        )
        return AuditRun(ended.returncode, ended.stdout, ended.stderr)

    return ask


def _installed(folder: Path) -> Path | None:
    """Return the Python of a new venv that has what the lock says."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps"]
    ended = subprocess.run([python, "-m", "pip", "install", *options, "--requirement", LOCK], check=False)
    return python if ended.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
