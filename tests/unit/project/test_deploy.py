"""The files of deploy/ say nothing that is not so. There is no container engine here: they are read, not run.

HAProxy's configuration is run, by tests/scale/.
"""

import ast
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from sandbox.settings import SANDBOX_API_KEY, SandboxSettings
from services.upstream.key_standing import KeyStanding
from settings import Settings
from tests.unit.project.what_is_exported import metric_names

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
OURS = {name.upper() for name in Settings.model_fields}
SANDBOXES = {f"SANDBOX_{name.upper()}" for name in SandboxSettings.model_fields}
BALANCERS = {"HAPROXY_ADMIN", "HAPROXY_PROTO", "HAPROXY_BIND", "APP1", "APP2", "APP3"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def kubernetes() -> dict[str, dict[str, Any]]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def copied() -> set[str]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    return {word.rstrip("/") for line in lines for word in line.split()}


def test_what_the_image_copies_is_there() -> None:
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_the_image_holds_every_module_that_the_app_imports() -> None:
    own = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir() if path.is_dir()}
    held = {Path(name).stem for name in copied()}
    needed = set()
    for name in copied():
        path = ROOT / name
        for file in [path] if path.suffix == ".py" else path.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    needed |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    needed.add(node.module.split(".")[0])

    assert (needed & own) - held == set()


def test_the_image_runs_as_nobody_special_and_looks_after_itself() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")

    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "/readyz" in text
    assert "-slim" in text
    assert "--require-hashes" in text
    assert not re.search(r"(?i)secret|api_key=|token=", text)


def test_every_variable_of_the_compose_file_is_a_setting() -> None:
    services = compose()["services"]
    named = {name for service in services.values() for name in service.get("environment", {})}

    assert named - OURS - SANDBOXES - BALANCERS == set()


def test_any_setting_can_be_given_to_the_replicas() -> None:
    replica = compose()["x-replica"]

    assert replica["env_file"] == [{"path": ".env", "required": False}]


def test_the_replicas_are_those_that_haproxy_knows_and_write_nowhere() -> None:
    services = compose()["services"]
    known = re.findall(r"^ +server (\w+) ", (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8"), re.MULTILINE)

    assert [name for name in services if name.startswith("app")] == known
    for name in known:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["networks"] == ["inside", "outside"]
    assert services["sandbox"]["profiles"] == ["sandbox"]


def test_the_proxy_that_is_trusted_is_haproxy() -> None:
    services = compose()["services"]
    addresses = {network["ipv4_address"] for network in services["haproxy"]["networks"].values()}

    assert set(services["app1"]["environment"]["TRUSTED_PROXIES"].split(",")) == addresses


@pytest.mark.parametrize("name", ["example.env", "sandbox.env"])
def test_an_environment_file_gives_what_the_compose_file_asks_for_and_keeps_no_secret(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    asked = set(re.findall(r"\$\{(\w+):?[?-]", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    wanted = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))

    assert set(given) - asked == set()
    assert wanted - set(given) - {"STORAGE_SECRET", "ENTITLEMENTS_KEY"} == set()
    assert given["PAYMENT_MS_API_KEY"] in ("", SANDBOX_API_KEY)
    assert given.get("STORAGE_SECRET", "") == ""


def test_kubernetes_asks_the_right_addresses_and_gives_time_to_end() -> None:
    manifest = kubernetes()
    pod = manifest["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert set(manifest["ConfigMap"]["data"]) - OURS == set()
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["terminationGracePeriodSeconds"] >= 5 + 8 + 6
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert manifest["Ingress"]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"


def test_haproxys_configuration_is_valid() -> None:
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    checked = subprocess.run(
        [program, "-c", "-f", str(DEPLOY / "haproxy.cfg")], capture_output=True, text=True, check=False, timeout=60
    )

    assert checked.returncode == 0, checked.stderr


def test_every_metric_of_the_dashboard_is_exported(tmp_path: Path) -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    text = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    named = re.findall(r"(?:billing|process)_\w+", text)
    used = {re.sub(r"_(bucket|count|sum|total|info)$", "", name) for name in named}
    exported = {re.sub(r"_total$", "", name) for name in metric_names(tmp_path)}

    assert used - exported == set()
    assert exported - used <= {"process_virtual_memory_bytes", "process_start_time_seconds"}  # say nothing more


@pytest.mark.parametrize(
    ("standing", "restarts"),
    [("lost", True), ("unproven", False), ("fine", False)],
)
def test_the_probe_restarts_a_payment_ms_that_lost_its_connection_and_no_other(
    tmp_path: Path, standing: str, restarts: bool
) -> None:
    """Against what `/readyz` says, word for word."""
    key = KeyStanding("PAYMENT_MS_API_KEY")
    key.refused, key.worked = standing != "fine", standing == "lost"
    checks = {"payment_ms": {"status": "ok" if key.problem is None else "degraded", "problem": key.problem}}
    (tmp_path / "readyz").write_text(json.dumps({"checks": checks}), encoding="utf-8")
    mark = tmp_path / "restarted"

    done = subprocess.run(
        [str(DEPLOY / "payment_ms_probe.sh"), "touch", str(mark)],
        env={"PATH": os.environ["PATH"], "APP_URL": tmp_path.as_uri()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, mark.exists()) == (0, restarts), done.stderr


def test_the_sample_units_name_what_is_there() -> None:
    probe = (DEPLOY / "payment-ms-probe.service").read_text(encoding="utf-8")

    assert "deploy/payment_ms_probe.sh systemctl restart payment-ms.service" in probe
    assert (DEPLOY / "payment-ms.service").exists()
    assert "OnUnitActiveSec=30" in (DEPLOY / "payment-ms-probe.timer").read_text(encoding="utf-8")
