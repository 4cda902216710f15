"""deploy/alerts.yaml and the dashboard ask for what is exported, fire when they should, and say what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from services.alarms.alarm import ALARMS
from settings import load_settings
from tests.unit.project.what_is_exported import ROOT, read_metrics
from wiring.build import build

ALERTS = ROOT / "deploy" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
CASES = ("alerts_fast_test.yaml", "alerts_slow_test.yaml")
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
OF_PROMETHEUS = {"instance", "job", "le", "alertname", "alertstate"}

Exported = dict[str, dict[str, set[str]]]
"""The values that each label of each metric has from the start."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read(ALERTS)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def queries() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *panels]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    path = tmp_path_factory.mktemp("alerts") / "store.sqlite3"
    return read_metrics(build(load_settings(_env_file=None, storage_path=str(path))))


def test_what_an_alert_or_the_dashboard_asks_for_is_exported(exported: Exported) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for query in queries() for name in re.findall(r"\b(?:billing|process)[_:][\w:]+", query)}

    assert asked - recorded - exported.keys() == set()
    assert recorded <= asked | {name for name in recorded if name.endswith("30d")}


def test_every_label_that_is_asked_for_has_such_values_from_the_start(exported: Exported) -> None:
    asked = 0
    for query in queries():
        for name, matchers in re.findall(r"\b((?:billing|process)_\w+)\{([^}]*)\}", query):
            for label, sign, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
                if label in OF_PROMETHEUS - {"le"}:
                    continue
                asked += 1
                known = exported[name].get(label, set())
                words = value.split("|") if "~" in sign else [value]
                assert [word for word in words if word not in known] == [], f"{name}{{{label}}}"

    assert asked > 30


def test_every_label_that_is_kept_is_one_of_the_metric(exported: Exported) -> None:
    known = {label for labels in exported.values() for label in labels} | OF_PROMETHEUS
    kept = {
        label.strip()
        for query in queries()
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", query)
        for label in labels.split(",")
    }

    assert kept <= known


def test_counters_are_summed_after_their_rates_and_never_without() -> None:
    """A replica that is restarted counts from 0 again: only `rate` and `increase` of each alone know of it."""
    for query in queries():
        assert not re.search(r"(?:rate|increase)\(\s*(?:sum|max|min)", query), query
        since_start = "NothingSoldSinceStart"
        bare = re.sub(r"(?:rate|increase)\([^()]*\)", "", query)
        if re.search(r"billing_\w+_(?:total|bucket|count|sum)\b", bare):
            assert [rule["alert"] for rule in alerts() if rule["expr"] == query] == [f"Billing{since_start}"]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_every_alert_has_its_paragraph(alert: dict[str, Any]) -> None:
    """What customers see, whether money moved, and what to do."""
    name = alert["alert"]
    paragraph = PAGE.partition(f"\n### {name}\n")[2].partition("\n#")[0]

    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert alert["annotations"]["summary"].endswith((".", ")."))
    assert alert["labels"]["severity"] in ("page", "ticket")
    for said in ("Customers see", "Money", "Do"):
        found = re.search(rf"^- \*\*{said}:\*\* (.+)", paragraph, re.MULTILINE)
        assert found is not None, said
        assert len(found[1]) > 10


def test_there_is_no_paragraph_for_an_alert_that_is_gone() -> None:
    told = re.findall(r"^### (Billing\w+)$", PAGE, re.MULTILINE)

    assert sorted(told) == sorted(alert["alert"] for alert in alerts())


def test_every_alarm_of_the_apps_own_reaches_prometheus(exported: Exported) -> None:
    assert exported["billing_alarm"]["alarm"] == {alarm.key.value for alarm in ALARMS}


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = [case for name in CASES for case in read(Path(__file__).parent / name)["tests"]]
    fires: set[str] = set()
    rests: set[str] = set()
    for case in cases:
        name, what = case["name"].split()[:2]
        (question,) = case["promql_expr_test"]
        firing = {
            label for sample in question.get("exp_samples", ()) for label in re.findall(r'"(\w+)"', sample["labels"])
        }
        assert (name in firing) == (what == "fires"), case["name"]
        (fires if what == "fires" else rests).add(name)

    assert fires == rests == {alert["alert"] for alert in alerts()}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is missing: `make system` installs it (prometheus)")
@pytest.mark.parametrize("cases", CASES)
def test_alerts_fire_in_their_cases_and_in_no_others(cases: str) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(Path(__file__).parent / cases)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
