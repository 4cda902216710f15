"""The fault server as a fixture, and the matrix of rows that the run prints at its end."""

from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio

from services.payment_ms import PaymentMS
from services.upstream.client import Upstream
from services.upstream.retry import Backoff
from tests.faults import matrix
from tests.faults.calls import DEADLINE, KEY, KEY_SETTING, Connect
from tests.faults.fault_server import FaultServer
from tests.faults.plugin import forks, shop, stand_in

__all__ = ["forks", "shop", "stand_in"]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    """A server that answers ``{}`` until it is told otherwise."""
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes a client of the Payment MS at an address, with deadlines short enough to wait for."""
    made: list[Upstream] = []

    def connect(url: str, deadline: float = DEADLINE) -> PaymentMS:
        quick = Backoff(0.01, 0.02)
        made.append(Upstream("payment_ms", url, connect_timeout=deadline / 2, key_setting=KEY_SETTING, backoff=quick))
        return PaymentMS(made[-1], KEY, status_deadline=deadline, checkout_deadline=deadline)

    yield connect
    for upstream in made:
        await upstream.aclose(grace=0.0)


@pytest.fixture
def payment_ms(server: FaultServer, connect: Connect) -> PaymentMS:
    """A client of the Payment MS that the fault server plays."""
    return connect(server.url)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Carry each test's rows (``@pytest.mark.faults("4 slow headers")``) into its report."""
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        name = getattr(item, "originalname", item.name)
        for row in matrix.marks_for(path, name):
            item.add_marker(pytest.mark.faults(row))
        named = {row for mark in item.iter_markers("faults") for words in mark.args for row in matrix.rows_of(words)}
        item.user_properties.extend(("fault", row) for row in sorted(named))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each row with pass, FAIL, or MISSING, when the whole matrix was asked for; else the rows that were run."""
    rows, whole = _results(terminalreporter), _is_whole(terminalreporter.config)
    if not rows and not whole:
        return
    terminalreporter.section("fault matrix")
    for row, title in matrix.ROWS.items():
        results = rows.get(row, [])
        word = "MISSING" if not results else "pass" if all(results) else "FAIL"
        if results or whole:
            terminalreporter.write_line(f"{word:8}{row:9}{title}  ({sum(results)}/{len(results)})")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole matrix in which a row was missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(reporter, pytest.TerminalReporter) and _is_whole(session.config):
        missing = set(matrix.ROWS) - set(_results(reporter))
        if missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_whole(config: pytest.Config) -> bool:
    return config.getoption("markexpr") == "faults" and not config.getoption("collectonly")


def _results(reporter: pytest.TerminalReporter) -> dict[str, list[bool]]:
    """Return what became of each row's tests so far."""
    rows: dict[str, list[bool]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in reporter.stats.get(outcome, []):
            for name, row in getattr(report, "user_properties", ()):
                if name == "fault" and (report.when == "call" or report.failed):
                    rows.setdefault(row, []).append(bool(report.passed))
    return rows
