"""The files of deploy/ say nothing that is not so. There is no container engine here: they are read, not run.

HAProxy's configuration is run, by tests/scale/.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from payment_service.settings import ServiceSettings
from sandbox.settings import SANDBOX_API_KEY, SandboxSettings
from services.upstream.key_standing import KeyStanding
from settings import Settings
from settings_sources import secret_names
from tests.unit.project.what_is_exported import metric_names
from version import VERSION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
OURS = {name.upper() for name in Settings.model_fields}
SANDBOXES = {f"SANDBOX_{name.upper()}" for name in SandboxSettings.model_fields}
PAYMENT_SERVICES = {name.upper() for name in ServiceSettings.model_fields}
BALANCERS = {"HAPROXY_ADMIN", "HAPROXY_PROTO", "HAPROXY_BIND", "APP1", "APP2", "APP3"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@lru_cache
def kubernetes(overlay: str) -> dict[tuple[str, str], dict[str, Any]]:
    """What `kubectl` makes of an overlay, by kind and name."""
    folder = DEPLOY / "kubernetes" / "overlays" / overlay
    made = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert made.returncode == 0, made.stderr
    documents = yaml.safe_load_all(made.stdout)
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def pod(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = kubernetes(overlay)["Deployment", "billing"]["spec"]["template"]["spec"]
    return found


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


def test_the_compose_file_mounts_the_operators_catalog_and_checks_before_it_starts() -> None:
    services, text = compose()["services"], (DEPLOY / "compose.yaml").read_text(encoding="utf-8")

    assert "Needs Docker Compose 2.24" in text
    assert services["check"]["command"][-2:] == ["check", "--before-start"]
    for name in ("app1", "app2", "app3"):
        assert services[name]["volumes"] == ["${CATALOG_FOLDER:?the folder with your products.json}:/catalog:ro"]
        assert services[name]["environment"]["CATALOG_PATH"] == "${CATALOG_PATH:-/catalog/products.json}"
        assert services[name]["depends_on"]["check"] == {"condition": "service_completed_successfully"}


def test_every_variable_of_the_compose_file_is_a_setting() -> None:
    services = compose()["services"]
    named = {name for service in services.values() for name in service.get("environment", {})}

    assert named - OURS - SANDBOXES - BALANCERS - PAYMENT_SERVICES == set()


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


OVERLAYS = ("production", "trial")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_gives_settings_that_there_are_and_secrets_by_name_alone(overlay: str) -> None:
    [settings] = [found["data"] for (kind, _name), found in kubernetes(overlay).items() if kind == "ConfigMap"]

    assert set(settings) - OURS == set()
    assert set(settings).isdisjoint(name.upper() for name in secret_names(Settings))
    assert all(kind != "Secret" for kind, _name in kubernetes(overlay))
    for container in (*pod(overlay)["containers"], *pod(overlay)["initContainers"]):
        assert [source["secretRef"]["name"] for source in container["envFrom"] if "secretRef" in source] == ["billing"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_mounts_the_operators_catalog_and_checks_before_it_starts(overlay: str) -> None:
    [check], [app] = pod(overlay)["initContainers"], pod(overlay)["containers"]

    assert check["args"] == ["python", "app.py", "check", "--before-start"]
    assert {"name": "catalog", "configMap": {"name": "billing-catalog"}} in pod(overlay)["volumes"]
    for container in (check, app):
        assert {"name": "CATALOG_PATH", "value": "/catalog/products.json"} in container["env"]
        assert {"name": "catalog", "mountPath": "/catalog", "readOnly": True} in container["volumeMounts"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_asks_the_right_addresses_and_gives_time_to_end(overlay: str) -> None:
    [app] = pod(overlay)["containers"]

    assert app["securityContext"]["readOnlyRootFilesystem"] is True
    assert app["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod(overlay)["terminationGracePeriodSeconds"] >= 5 + 8 + 6
    assert [app[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")] == [
        "/readyz", "/readyz", "/healthz",
    ]  # fmt: skip


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_kubernetes_selects_and_names_is_there(overlay: str) -> None:
    """Every selector meets the labels of a pod, every service that is named is one, and every port of it too."""
    made = kubernetes(overlay)
    templates = [found["spec"]["template"] for found in made.values() if "template" in found.get("spec", {})]
    labels = [template["metadata"]["labels"] for template in templates]
    ports = {port["name"] for template in templates for one in template["spec"]["containers"] for port in one["ports"]}
    for (kind, _name), found in made.items():
        spec = found.get("spec", {})
        chosen = spec.get("podSelector", spec.get("selector"))
        if chosen is not None:
            assert chosen.get("matchLabels", chosen) in labels, kind
        if kind == "Service":
            assert {port["targetPort"] for port in spec["ports"]} <= ports
    for rule in made.get(("Ingress", "billing"), {}).get("spec", {}).get("rules", ()):
        for path in rule["http"]["paths"]:
            service = made["Service", path["backend"]["service"]["name"]]
            assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def without_breaks(rules: object) -> str:
    """Return rules as text without line breaks, which mean nothing in them: kubectl writes some twice."""
    return re.sub(r"(?:\\n|\s)+", " ", json.dumps(rules, sort_keys=True))


def test_kubernetes_for_production_is_watched_scaled_and_kept_at_its_replica() -> None:
    made = kubernetes("production")
    [endpoint] = made["PodMonitor", "billing"]["spec"]["podMetricsEndpoints"]

    assert endpoint["authorization"]["credentials"] == {"name": "billing", "key": "OPS_TOKEN"}
    assert endpoint["path"] == "/metrics"
    alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))
    assert without_breaks(made["PrometheusRule", "billing"]["spec"]) == without_breaks(alerts)
    assert made["HorizontalPodAutoscaler", "billing"]["spec"]["minReplicas"] >= 2
    assert "replicas" not in made["Deployment", "billing"]["spec"]
    assert made["PodDisruptionBudget", "billing"]["spec"]["maxUnavailable"] == 1
    assert made["Ingress", "billing"]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    assert pod("production")["containers"][0]["image"].endswith(f":{VERSION}")


def test_kubernetes_for_a_trial_has_a_redis_that_nobody_else_may_ask() -> None:
    made = kubernetes("trial")
    [rule] = made["NetworkPolicy", "billing-redis"]["spec"]["ingress"]

    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "billing"}}}]
    assert made["Deployment", "billing"]["spec"]["replicas"] == 1


def test_the_systemd_unit_is_valid_and_hardened(tmp_path: Path) -> None:
    text = (DEPLOY / "billing-frontend.service").read_text(encoding="utf-8")
    unit = tmp_path / "billing-frontend.service"
    unit.write_text(text.replace("/opt/billing-frontend/.venv/bin/python", sys.executable), encoding="utf-8")

    verified = run_systemd_analyze("verify", "--man=no", "--recursive-errors=no", str(unit))
    exposure = run_systemd_analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(unit))

    assert (verified.returncode, verified.stderr) == (0, "")
    assert exposure.returncode == 0, exposure.stdout[-300:]
    assert "app.py check --before-start" in text
    named = set(re.findall(r"\b([A-Z_]+)_FILE=", text))
    assert named <= {name.upper() for name in secret_names(Settings)}
    assert {name.lower() for name in named} == set(re.findall(r"LoadCredential=(\w+):", text))


def run_systemd_analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["haproxy.cfg", "below-a-path/haproxy.cfg"])
def test_haproxys_configuration_is_valid(name: str) -> None:
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    checked = subprocess.run(
        [program, "-c", "-f", str(DEPLOY / name)], capture_output=True, text=True, check=False, timeout=60
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
