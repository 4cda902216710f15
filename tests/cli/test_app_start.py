"""`python app.py` as its operator sees it: what keeps it from starting is a sentence, and it stops in order."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.app_process import free_port

ROOT = Path(__file__).parents[2]


def environment(folder: Path, **values: str) -> dict[str, str]:
    """Return settings that fit a sandbox on free ports, changed by `values`."""
    ports = {
        name: str(free_port()) for name in ("PORT", "SANDBOX_PAYMENT_PORT", "SANDBOX_AUTH_PORT", "SANDBOX_STRIPE_PORT")
    }
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return {**clean, **ports, "STORAGE_PATH": str(folder / "store.sqlite3"), **values}


def start(env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run to its end what is expected to refuse."""
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(env: dict[str, str]) -> str:
    """Return the sentences of a start that refuses; there is nothing but sentences."""
    done = start(env)

    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PORT": "80000"}, "PORT must"),
        ({"HOST": "0.0.0.0"}, "HOST is 0.0.0.0"),
        ({"SANDBOX": "true", "PAYMENT_MS_API_KEY": "proj_x", "STORAGE_SECRET": "x" * 40}, "SANDBOX is true"),
        ({"PAYMENT_MS_API_KEY": "proj_x"}, "STORAGE_SECRET is not set"),
        ({"STORAGE_SECRET": "changeme"}, "STORAGE_SECRET can be guessed"),
        ({"CATALOG_PATH": "nowhere.json"}, "nowhere.json"),
        ({"REDIS_URL": "http://redis"}, "REDIS_URL must"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_settings_are_sentences(tmp_path: Path, values: dict[str, str], words: str) -> None:
    sentences = refused(environment(tmp_path, **values))

    assert words in sentences
    for sentence in sentences.splitlines():
        assert re.search(r"[.)]$|nowhere|openssl rand -base64 48$", sentence), sentence


def test_a_wrong_key_for_entitlements_is_a_sentence(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\\nMC4=\\n-----END PRIVATE KEY-----"

    sentences = refused(environment(tmp_path, ENTITLEMENTS_KEY=key))

    assert sentences.startswith("ENTITLEMENTS_KEY is no P-256 or Ed25519 private key")
    assert "MC4=" not in sentences


def test_a_broken_catalog_names_path_field_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    path.write_text('{"plans": [{"id": "basic", "name": "Basic", "tagline": "", "kind": "paid", "features": 3}]}')

    sentences = refused(environment(tmp_path, CATALOG_PATH=str(path)))

    assert f"{path}: plans[0]" in sentences or f"{path}: plans.0" in sentences


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        sentences = refused(environment(tmp_path, PORT=str(port)))

    assert len(sentences.splitlines()) == 1
    assert f"Can't listen on 127.0.0.1:{port}" in sentences


def test_a_port_of_the_sandbox_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        sentences = refused(environment(tmp_path, SANDBOX_AUTH_PORT=str(taken.getsockname()[1])))

    assert "The sandbox did not start" in sentences


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    env = environment(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.env = env  # type: ignore[attr-defined]
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_starts_the_sandbox_says_where_it_is_and_stops_everything(running: "subprocess.Popen[str]") -> None:
    assert running.stdout is not None
    env: dict[str, str] = running.env  # type: ignore[attr-defined]
    said = running.stdout.readline()
    url = f"http://localhost:{env['PORT']}"

    served = httpx.get(f"{url}/pricing", trust_env=False)
    sandbox = httpx.get(f"http://127.0.0.1:{env['SANDBOX_PAYMENT_PORT']}/health", trust_env=False)
    running.send_signal(signal.SIGTERM)
    code = running.wait(20)

    assert said == f"Open {url} (sandbox: no money moves)\n"
    assert (served.status_code, sandbox.status_code, code) == (200, 200, 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{env['SANDBOX_PAYMENT_PORT']}/health", trust_env=False)


def test_the_store_of_a_running_app_is_not_opened_twice(running: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert running.stdout is not None
    running.stdout.readline()

    sentences = refused(environment(tmp_path, SANDBOX_START="false"))

    assert str(tmp_path / "store.sqlite3") in sentences
    assert len(sentences.splitlines()) == 1


def test_help_names_the_commands() -> None:
    done = start({"PATH": os.environ["PATH"]}, "--help")

    assert done.returncode == 0
    for command in ("serve", "check"):
        assert command in done.stdout
