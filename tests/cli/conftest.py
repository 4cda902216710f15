"""A sound installation against real sockets: a Payment MS that keeps the contract, a sandbox, a site at PUBLIC_URL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox
from tests.cli.installation import Installation, Site, site_at_public_url, sound_installation
from tests.contract.mock_payment_ms import MockPaymentMS, mock_payment_ms


@pytest.fixture(scope="package")
def sandbox() -> Iterator[RunningSandbox]:
    with start_sandbox([*FREE_PORTS, "--database", ":memory:"]) as sandbox:
        yield sandbox


@pytest.fixture
def payment_ms() -> Iterator[MockPaymentMS]:
    with mock_payment_ms() as mock:
        yield mock


@pytest.fixture
def app() -> Iterator[Site]:
    with site_at_public_url() as site:
        yield site


@pytest.fixture
def installation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    payment_ms: MockPaymentMS,
    sandbox: RunningSandbox,
    app: Site,
) -> Installation:
    return sound_installation(tmp_path, monkeypatch, capsys, payment_ms, sandbox.auth_ms_url, app.url)
