"""What the code tells operators: the metrics the app exports, and the events its modules log."""

import ast
import asyncio
from pathlib import Path

from api.lifespan import RunningApp
from services.readiness import readiness
from settings import load_settings
from wiring.build import build

ROOT = Path(__file__).resolve().parents[3]
LOGGING = ("api", "cli", "services", "ui", "wiring")
METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def read_metrics(running: RunningApp) -> dict[str, dict[str, set[str]]]:
    """Return what Prometheus would store after the first reading: each series' name, its labels and their values."""
    found: dict[str, dict[str, set[str]]] = {}

    async def read() -> None:
        await readiness(running.container)
        for metric in running.container.metrics.registry.collect():
            for sample in metric.samples:
                labels = found.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
            for label in getattr(metric, "labelnames", ()):
                found.setdefault(metric.name, {}).setdefault(label, set())
        await running.stop()

    asyncio.run(read())
    return found


def metric_names(folder: Path) -> set[str]:
    """Return the names of all metrics, without the endings that Prometheus adds."""
    running = build(load_settings(_env_file=None, storage_path=str(folder / "store.sqlite3")))
    names = {metric.name for metric in running.container.metrics.registry.collect()}
    asyncio.run(running.stop())
    return names


def event_names() -> set[str]:
    """Return the first argument of every call on a logger of ours, wherever it is a plain text."""
    found: set[str] = set()
    for path in [ROOT / "app.py", *(file for folder in LOGGING for file in (ROOT / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_logging(node.func) and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def _is_logging(function: ast.expr) -> bool:
    """Whether this is `_log.warning`, `getattr(_log, level)`, `(_log.debug if quiet else _log.info)`, or the
    `noise.dropped` of `ui/nicegui_ext/socket_guard.py`, which logs its first argument."""
    match function:
        case ast.Attribute(value=ast.Name(id="noise"), attr="dropped"):
            return True
        case ast.Attribute(value=ast.Name(id="_log"), attr=name):
            return name in METHODS
        case ast.Call(func=ast.Name(id="getattr"), args=[ast.Name(id="_log"), *_]):
            return True
        case ast.IfExp(body=body):
            return _is_logging(body)
    return False
