"""`python app.py` as its operator sees it: what keeps it from starting is a sentence, and it stops in order."""

import asyncio
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from harness.app_process import free_port
from services.storage.sqlite_store import SqliteStore
from tests.forks import Forks
from tests.forks import forks as forking
from version import VERSION

ROOT = Path(__file__).parents[2]
Refused = Callable[[dict[str, str]], str]


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


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forking() as made:
        yield made


@pytest.fixture
def refused(forks: Forks, tmp_path: Path) -> Refused:
    """Give what returns the sentences of a start that refuses; there is nothing but sentences."""

    def start_and_read(env: dict[str, str]) -> str:
        said, complained = tmp_path / "said", tmp_path / "complained"
        code = forks.ended(forks.start(env, said, errors=complained, alone=True), seconds=60.0)
        sentences = complained.read_text(encoding="utf-8")
        assert code == 2, sentences
        assert said.read_text(encoding="utf-8") == ""
        assert "Traceback" not in sentences
        return sentences

    return start_and_read


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
def test_wrong_settings_are_sentences(tmp_path: Path, values: dict[str, str], words: str, refused: Refused) -> None:
    sentences = refused(environment(tmp_path, **values))

    assert words in sentences
    for sentence in sentences.splitlines():
        assert re.search(r"[.)]$|nowhere|openssl rand -base64 48$", sentence), sentence


def test_a_wrong_key_for_entitlements_is_a_sentence(tmp_path: Path, refused: Refused) -> None:
    key = "-----BEGIN PRIVATE KEY-----\\nMC4=\\n-----END PRIVATE KEY-----"

    sentences = refused(environment(tmp_path, ENTITLEMENTS_KEY=key))

    assert sentences.startswith("ENTITLEMENTS_KEY is no P-256 private key")
    assert "MC4=" not in sentences


def test_a_broken_catalog_names_path_field_and_reason(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "products.json"
    path.write_text('{"plans": [{"id": "basic", "name": "Basic", "tagline": "", "kind": "paid", "features": 3}]}')

    sentences = refused(environment(tmp_path, CATALOG_PATH=str(path)))

    assert f"{path}: plans[0]" in sentences or f"{path}: plans.0" in sentences


@pytest.mark.parametrize("setting", ["PORT", "SANDBOX_PAYMENT_PORT", "SANDBOX_AUTH_PORT", "SANDBOX_STRIPE_PORT"])
def test_a_port_that_is_taken_is_one_sentence_with_the_setting(tmp_path: Path, setting: str, refused: Refused) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        sentences = refused(environment(tmp_path, **{setting: str(port)}))

    assert sentences == (
        f"Port {port} is taken: another process listens on 127.0.0.1:{port}; end it, or set {setting} to a free port.\n"
    )


def test_a_store_that_a_newer_release_wrote_is_a_sentence(tmp_path: Path, refused: Refused) -> None:
    asyncio.run(kept(tmp_path / "store.sqlite3", "schema", '{"needs": 1000, "release": "9.9.0"}'))

    said = refused(environment(tmp_path, SANDBOX_START="false"))

    assert said.splitlines()[-1].startswith("The store was written by release 9.9.0 (schema 1000), and this one, ")
    assert "starting" not in said


def test_ids_of_the_sandbox_with_a_real_key_are_a_sentence(tmp_path: Path, refused: Refused) -> None:
    real = {"PAYMENT_MS_API_KEY": "proj_" + "x" * 43, "STORAGE_SECRET": "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"}

    assert "has ids of the sandbox" in refused(environment(tmp_path, **real))


async def kept(path: Path, key: str, value: str) -> None:
    """Write one value as another release might have."""
    store = SqliteStore(path)
    await store.put(key, value, None)
    await store.close()


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path, refused: Refused) -> None:
    sound = {"PAYMENT_MS_API_KEY": "proj_" + "x" * 43, "STORAGE_SECRET": "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"}

    sentences = refused(environment(tmp_path, HOST="192.0.2.1", **sound))

    assert sentences.startswith("Can't listen on 192.0.2.1:")
    assert sentences.endswith("and HOST to an address of this machine.\n")
    assert len(sentences.splitlines()) == 1


class InTerminal:
    """The app in a pseudo-terminal: what its operator sees there."""

    def __init__(self, env: dict[str, str]) -> None:
        self._screen, inside = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=env, stdin=inside, stdout=inside, stderr=inside
        )
        os.close(inside)
        self.text = ""

    def until(self, words: str, seconds: float = 60.0) -> str:
        """Return what was shown up to these words; fail if they are not in time."""
        end = time.monotonic() + seconds
        while words not in self.text:
            ready, _, _ = select.select([self._screen], [], [], max(0.0, end - time.monotonic()))
            assert ready, self.text
            self.text += os.read(self._screen, 65536).decode()
        return self.text[: self.text.index(words) + len(words)]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        os.close(self._screen)


@pytest.mark.parametrize("no_color", ["", "1"])
def test_in_a_terminal_the_log_is_for_people_and_the_addresses_come_last(tmp_path: Path, no_color: str) -> None:
    env = environment(tmp_path, NO_COLOR=no_color, TERM="xterm", OPS_TOKEN="an-operators-token-for-tests")
    panel = f"http://localhost:{env['SANDBOX_STRIPE_PORT']}"
    terminal = InTerminal(env)
    try:
        begun = terminal.until(panel + "\r\n")
        httpx.get(f"http://localhost:{env['PORT']}/ops?token=an-operators-token-for-tests", trust_env=False)
        shown = terminal.until("GET /ops 401 in")
    finally:
        terminal.close()

    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in begun.splitlines()]
    assert lines[-2:] == [
        f"Open http://localhost:{env['PORT']} (sandbox: no money moves)",
        f"The sandbox's control panel: {panel}",
    ]
    logged = [line for line in lines if re.match(r"\d\d:\d\d:\d\d \[info +\] ", line)]
    assert "starting" in logged[0]
    assert f"version={VERSION}" in logged[0]
    assert any("] listening" in line for line in logged)
    assert not any(line.startswith("{") for line in lines)
    assert ("\x1b[" in shown) is (no_color == "")
    assert "an-operators-token" not in shown


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


def test_the_store_of_a_running_app_is_not_opened_twice(
    running: "subprocess.Popen[str]", tmp_path: Path, refused: Refused
) -> None:
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


def test_a_nicegui_that_draws_no_page_is_refused_by_name(tmp_path: Path) -> None:
    changed = "from nicegui import Client\n\ndef build_response(*given, **options):\n    raise KeyError('elements')\n\n"
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "sitecustomize.py").write_text(f"{changed}Client.build_response = build_response\n")

    done = start(environment(tmp_path, PYTHONPATH=str(tmp_path / "another")))

    assert done.returncode == 2
    assert re.search(r"No page can be drawn with NiceGUI 3\.\d+\.\d+: .*elements", done.stderr.splitlines()[-1])
    assert "Open http" not in done.stdout


def test_an_extension_that_is_not_there_is_named(tmp_path: Path, refused: Refused) -> None:
    words = refused(environment(tmp_path, EXTENSIONS="examples.nothing"))

    assert "EXTENSIONS names examples.nothing, which can't be imported" in words
