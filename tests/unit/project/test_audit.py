"""`make audit` claims nothing that no source of advisories said."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import audit
from tools.audit import AUDITED, PROBE, SOURCES, UNREACHABLE, AuditRun

SKIPPED = json.dumps({"dependencies": [{"name": "jinja2", "skip_reason": "not found"}], "fixes": []})
REPORTED = json.dumps({"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "X"}]}], "fixes": []})


class PipAudit:
    """Stands for pip-audit: what it says of the probe by each source, and how an audit ends."""

    def __init__(self, probe: dict[str, AuditRun], code: int = 0) -> None:
        self._probe, self._code = probe, code
        self.audits: list[list[str]] = []

    def __call__(self, arguments: Sequence[str]) -> AuditRun:
        file = Path(arguments[0].partition("=")[2])
        if file.name == "probe.txt":
            assert file.read_text(encoding="ascii").split() == [PROBE]
            source = next(a.partition("=")[2] for a in arguments if a.startswith("--vulnerability-service="))
            return self._probe.get(source, AuditRun(1, "", "no route to host"))
        self.audits.append(list(arguments))
        return AuditRun(self._code, "No known vulnerabilities found\n" if not self._code else "jinja2 X\n", "")


@pytest.mark.parametrize(
    "answer",
    [
        AuditRun(0, SKIPPED, ""),
        AuditRun(0, "", ""),
        AuditRun(1, "", "trace"),
        AuditRun(0, "[]", ""),
        AuditRun(0, "{}", ""),
    ],
)
def test_without_a_source_that_knows_the_probe_nothing_is_claimed(
    answer: AuditRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = PipAudit(dict.fromkeys(SOURCES, answer))

    code = audit.audit(asked, AUDITED, tmp_path)

    told = capsys.readouterr()
    assert code == 1
    assert asked.audits == []
    assert (told.out, told.err.strip()) == ("", UNREACHABLE)


@pytest.mark.parametrize(("outcome", "code"), [(0, 0), (1, 1), (2, 1)])
def test_a_source_that_knows_the_probe_is_asked_about_every_lock(
    outcome: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = PipAudit({"pypi": AuditRun(0, SKIPPED, ""), "osv": AuditRun(1, REPORTED, "")}, outcome)

    assert audit.audit(asked, AUDITED, tmp_path) == code
    assert [arguments[0] for arguments in asked.audits] == [f"--requirement={file}" for file in AUDITED]
    for arguments in asked.audits:
        assert {"--require-hashes", "--strict", "--vulnerability-service=osv"} <= set(arguments)
    assert "run.txt, by osv:" in capsys.readouterr().out
