"""The fault server as a fixture, and the matrix of rows that the run prints at its end."""

from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio

from services.payment_ms import PaymentMS
from services.retry import Backoff
from services.upstream import Upstream
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


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Carry each test's row (``@pytest.mark.faults("4 slow headers")``) into its report."""
    for item in items:
        for mark in item.iter_markers("faults"):
            item.user_properties.extend(("fault", row) for row in mark.args)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each row with pass or fail, when rows were run."""
    rows: dict[str, list[bool]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, row in getattr(report, "user_properties", ()):
                if name == "fault" and (report.when == "call" or report.failed):
                    rows.setdefault(row, []).append(bool(report.passed))
    if not rows:
        return
    terminalreporter.section("fault matrix")
    for row in sorted(rows, key=_by_number):
        results = rows[row]
        terminalreporter.write_line(f"{'pass' if all(results) else 'FAIL'}  {row}  ({sum(results)}/{len(results)})")


def _by_number(row: str) -> tuple[int, str]:
    digits = row[: len(row) - len(row.lstrip("0123456789"))]
    return (int(digits) if digits else 999, row)
