"""The sandbox as a process: it remembers, it stops when asked or left alone, it refuses what it can't do."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from sandbox.__main__ import run
from sandbox.in_process import settings_in_memory
from sandbox.launch import FREE_PORTS, SandboxNotStarted, start_sandbox
from sandbox.listeners import bind
from sandbox.settings import SandboxSettings
from tests.sandbox.shop import Shop

ROOT = Path(__file__).resolve().parents[2]


def test_crash_loses_nothing(database: Path) -> None:
    arguments = [*FREE_PORTS, "--database", str(database)]
    with Shop(start_sandbox(arguments, {"SANDBOX_WEBHOOK_DELAY": "3600"})) as shop:
        session = shop.sign_in()
        user_id = session["user_context"]["user_id"]
        paid, open_one = shop.checkout(user_id), shop.checkout(user_id)
        shop.pay(paid)
        shop.set(status_shape="documented")
        shop.control("POST", "faults", {"operation": "portal", "status": 500})
        shop.running.kill()

    with start_sandbox(arguments) as running, Shop(running) as shop:
        assert shop.refresh(session["session_id"])["user_context"]["user_id"] == user_id
        assert shop.status(user_id)["status"] == "none"
        assert shop.control("POST", "webhooks/flush")["delivered"] == 3
        assert shop.status(user_id)["status"] == "active"
        assert len(shop.control("GET", "faults")) == 1
        sessions = {one["id"]: one["status"] for one in shop.control("GET", f"sessions?user_id={user_id}")}
        assert sessions == {paid["checkout_session_id"]: "complete", open_one["checkout_session_id"]: "open"}


def test_webhook_that_fell_due_while_it_was_down_is_delivered(database: Path) -> None:
    arguments = [*FREE_PORTS, "--database", str(database)]
    with Shop(start_sandbox(arguments, {"SANDBOX_WEBHOOK_DELAY": "0.5"})) as shop:
        shop.pay(shop.checkout())
        shop.running.kill()

    with start_sandbox(arguments) as running, Shop(running) as shop:
        shop.settle()

        assert shop.status()["exists"] is True


def test_poison_ends_with_a_restart(database: Path) -> None:
    arguments = [*FREE_PORTS, "--database", str(database)]
    with start_sandbox(arguments) as running, Shop(running) as shop:
        shop.control("POST", "payment/poison")
        poisoned = shop.payment("GET", "/api/v1/subscriptions/u/p").status_code

    with start_sandbox(arguments) as running, Shop(running) as shop:
        assert (poisoned, shop.payment("GET", "/api/v1/subscriptions/u/p").status_code) == (401, 200)


def test_it_stops_gracefully_when_asked(database: Path) -> None:
    running = start_sandbox([*FREE_PORTS, "--database", str(database)])

    assert running.stop() == 0


def test_it_ends_with_the_process_that_started_it(database: Path) -> None:
    starter = (
        "import sys; from sandbox.launch import FREE_PORTS, start_sandbox\n"
        "running = start_sandbox([*FREE_PORTS, '--database', sys.argv[1]])\n"
        "print(running.process.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(database)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        sandbox = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)

    _, alive = psutil.wait_procs([sandbox], timeout=10)

    assert alive == []


def test_second_sandbox_on_the_same_file_is_refused(database: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [*FREE_PORTS, "--database", str(database)]
    with start_sandbox(arguments), pytest.raises(SandboxNotStarted, match="code 2"):
        start_sandbox(arguments)

    assert "Another sandbox uses this file; set SANDBOX_DATABASE." in capfd.readouterr().err


def test_taken_port_is_refused_with_a_sentence(database: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with start_sandbox([*FREE_PORTS, "--database", str(database)]) as running:
        taken = running.stripe_url.rpartition(":")[2]
        with pytest.raises(SandboxNotStarted, match="code 2"):
            start_sandbox(["--payment-port", "0", "--auth-port", "0", "--stripe-port", taken])

    assert "Can't listen: Address already in use." in capfd.readouterr().err


def test_bad_setting_is_refused_with_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SandboxNotStarted, match="code 2"):
        start_sandbox(FREE_PORTS, {"SANDBOX_STATUS_SHAPE": "round"})

    error = capfd.readouterr().err
    assert error.startswith("SANDBOX_STATUS_SHAPE: ")
    assert "Traceback" not in error


def test_it_listens_on_this_machine_only_and_says_where(database: Path) -> None:
    with start_sandbox([*FREE_PORTS, "--database", str(database)]) as running:
        sockets = psutil.Process(running.process.pid).net_connections(kind="tcp")

    assert {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_ready_line_is_json_and_the_only_output(database: Path) -> None:
    arguments = [sys.executable, "-m", "sandbox", *FREE_PORTS, "--database", str(database)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert set(said) == {"payment_ms_url", "auth_ms_url", "stripe_url", "control_url", "api_key", "pid"}
    assert rest == ""
    assert process.returncode == 0


def test_without_a_payment_ms_its_port_is_left_to_another_service(capsys: pytest.CaptureFixture[str]) -> None:
    taken = bind("127.0.0.1", 0)
    with taken:
        settings = settings_in_memory(
            payment_ms="none", payment_port=taken.getsockname()[1], auth_port=0, stripe_port=0
        )
        said, balance = asyncio.run(_asked_once(settings, capsys))

    assert said["payment_ms_url"] == ""
    assert balance["object"] == "balance"


async def _asked_once(settings: SandboxSettings, capsys: pytest.CaptureFixture[str]) -> tuple[Any, Any]:
    """Run it until it has answered one call of Stripe's API: its ready line, and that answer."""
    running = asyncio.create_task(run(settings))
    while not (line := capsys.readouterr().out):
        await asyncio.wait([running], timeout=0.01)
        assert not running.done(), running.exception()
    said = json.loads(line)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{said['stripe_url']}/v1/balance", auth=("sk_test_of_the_tests", ""))
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    return said, answer.json()
