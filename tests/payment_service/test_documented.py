"""docs/payment-service.md is complete: each setting, command, metric and event of the log, and nothing that is gone."""

import ast
import re
from pathlib import Path

from payment_service.metrics import ServiceMetrics
from payment_service.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "payment-service.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def written(value: object) -> str:
    if value is None or value == "" or value == ():
        return "–"
    text = getattr(value, "get_secret_value", lambda: str(value).lower() if isinstance(value, bool) else str(value))()
    return f"`{str(text).removesuffix('.0') if isinstance(value, float) else text}`"


def test_every_setting_stands_in_the_table_with_its_default_and_what_it_is() -> None:
    rows = [
        f"| `{name.upper()}` | {written(field.default)} | {field.description} |"
        for name, field in ServiceSettings.model_fields.items()
    ]

    assert [line for line in section("Settings").splitlines() if line.startswith("| `")] == rows


def test_every_metric_stands_in_the_table() -> None:
    named = set(re.findall(r"`(payment_service_[a-z_]+)`", section("Watching it")))

    assert named == {metric.name for metric in ServiceMetrics().registry.collect()}


def test_every_event_of_the_log_stands_in_the_table() -> None:
    logged = set()
    for path in (ROOT / "payment_service").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("_log.", "(_log.")) and node.args:
                logged.add(ast.literal_eval(node.args[0]))
    table = section("Watching it").partition("| event in the log |")[2]

    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == logged
