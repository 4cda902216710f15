"""The sample for running the service under systemd: a unit that it takes, with secrets as files."""

import re
import subprocess
import sys
from pathlib import Path

from payment_service.settings import ServiceSettings

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "payment-service.service"
SECRETS = {name.upper() for name, field in ServiceSettings.model_fields.items() if "SecretStr" in str(field.annotation)}


def test_the_systemd_unit_is_valid_and_hands_over_secrets_as_files(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/payment-service/.venv/bin/python", sys.executable), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (verified.returncode, verified.stderr) == (0, "")
    named = set(re.findall(r"\b([A-Z_]+)_FILE=", text))
    assert named <= SECRETS
    assert {name.lower() for name in named} == set(re.findall(r"LoadCredential=(\w+):", text))
