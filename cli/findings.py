"""What a check found, one line each with a cure, for people or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Only an error makes the exit code 1; skipped means that nobody looked."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the installation: which check, how bad, what is so, and what to do about it."""

    check: str
    level: Level
    detail: str
    cure: str = ""


def ok(check: str, detail: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Level.OK, detail)


def skipped(check: str, detail: str, cure: str = "") -> Finding:
    """Return that it was not looked at, and why."""
    return Finding(check, Level.SKIPPED, detail, cure)


def warning(check: str, detail: str, cure: str = "") -> Finding:
    """Return that it works but is probably not meant."""
    return Finding(check, Level.WARNING, detail, cure)


def error(check: str, detail: str, cure: str = "") -> Finding:
    """Return that it does not work."""
    return Finding(check, Level.ERROR, detail, cure)


def sound(findings: Sequence[Finding]) -> bool:
    """Return whether there is no error among them."""
    return all(finding.level is not Level.ERROR for finding in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, and one that counts them."""
    width = max(len(finding.check) for finding in findings)
    lines = [
        f"{finding.level.upper() if finding.level is Level.ERROR else finding.level:<8} {finding.check:<{width}}  "
        + " ".join(part for part in (finding.detail, finding.cure) if part)
        for finding in findings
    ]
    counts = [(level, sum(finding.level is level for finding in findings)) for level in Level]
    lines.append(", ".join(_counted(level, count) for level, count in counts if count) + ".")
    return "\n".join(lines)


def _counted(level: Level, count: int) -> str:
    return f"{count} {level}s" if count > 1 and level in (Level.WARNING, Level.ERROR) else f"{count} {level}"


def as_json(findings: Sequence[Finding]) -> str:
    """Return ``{"ok": …, "findings": [{"check", "level", "detail", "cure"}]}``."""
    return json.dumps({"ok": sound(findings), "findings": [asdict(finding) for finding in findings]}, indent=2)
