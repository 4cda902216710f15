"""The log: one JSON object a line, in UTC, with the request's id, and without the secrets that are planted here."""

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.observability.logs import REDACTED, LineWriter, LogForm, Redaction, UserHashes, configure_logs
from services.observability.terminal import shows_colors
from services.web.request_id import request_id

KEY = "proj_canary0123456789abcdef0123456789abcdef0123456789"
STORAGE_SECRET = "canary-of-the-storage-secret-0123456789"
SECRETS = (SecretStr(KEY), SecretStr(STORAGE_SECRET), SecretStr("short"), None)


class Log:
    """What was written, after everything queued is out."""

    def __init__(self, form: LogForm = "json", level: str = "DEBUG", stream: io.StringIO | None = None) -> None:
        self._stream = stream or io.StringIO()
        self._writer = configure_logs(level, form, secrets=SECRETS, stream=self._stream)

    def text(self) -> str:
        self._writer.close()
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_json_object_with_time_level_and_request_id() -> None:
    log = Log()
    token = request_id.set("req-12345678")

    structlog.get_logger("here").warning("something_happened", count=3)
    request_id.reset(token)

    (line,) = log.lines()
    assert line["event"] == "something_happened"
    assert (line["level"], line["logger"], line["count"]) == ("warning", "here", 3)
    assert line["request_id"] == "req-12345678"
    assert line["timestamp"].endswith("Z")


def test_messages_of_libraries_go_the_same_way() -> None:
    log = Log()

    logging.getLogger("uvicorn.error").error("it said %s", "no")

    (line,) = log.lines()
    assert (line["event"], line["level"], line["logger"]) == ("it said no", "error", "uvicorn.error")


@pytest.mark.parametrize("name", ["httpx", "httpcore"])
def test_http_libraries_that_name_whole_addresses_are_not_heard_below_warning(name: str) -> None:
    log = Log()

    logging.getLogger(name).info('HTTP Request: POST http://auth/?auth_code=canary "200 OK"')
    logging.getLogger(name).warning("trouble")

    assert [line["event"] for line in log.lines()] == ["trouble"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_planted_secret_reaches_the_log(form: LogForm) -> None:
    log = Log(form)
    logger = structlog.get_logger()
    auth_session = "canary-of-an-auth-session"

    logger.info(
        "by name", api_key=KEY, auth_code="canary-1", cookie="session=canary-2", authorization="Bearer canary-3"
    )
    logger.info("deep", request={"headers": [{"X-API-Key": "canary-4"}, {"Set-Cookie": "canary-5"}]})
    logger.info("session", session_id=auth_session, session="canary-6", auth_session_id="canary-7")
    logger.info(
        "by form", url="http://app/auth/callback?auth_code=canary-8&state=1", text="Authorization: Bearer canary-9"
    )
    logger.info("by value", text=f"the secret is {STORAGE_SECRET}, the key {KEY}", secret=SecretStr("canary-10"))
    logger.info("address", url="redis://user:canary-11@redis:6379/0", redis_url="redis://canary-12")
    logger.info(f"in the event {STORAGE_SECRET}")
    logging.getLogger("library").warning("used %s at /x?auth_code=canary-13", KEY)
    try:
        raise ValueError(f"could not send {KEY}")
    except ValueError:
        logger.exception("failed")

    text = log.text()
    assert "canary" not in text
    assert text.count(REDACTED) >= 15


def test_what_is_no_secret_stays_readable() -> None:
    fields = {
        "session_id": "cs_test_0123456789abcdef",
        "has_session_id": True,
        "code": "already_subscribed",
        "state": "past_due",
        "op": "checkout_subscription",
        "attempt": 2,
        "elapsed_ms": 3.5,
        "user_hash": "0123456789ab",
        "error": None,
    }

    assert Redaction(SECRETS)(None, "", dict(fields)) == fields


def test_short_secrets_do_not_eat_words() -> None:
    assert Redaction(SECRETS).text("a short wait") == "a short wait"


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_text_can_start_a_line_of_its_own(form: LogForm) -> None:
    log = Log(form)

    structlog.get_logger().info("event", name="Ada\n{'event': 'forged'}")
    logging.getLogger("library").warning("path /x\r\n2026-01-01 forged")

    assert len(log.text().splitlines()) == 2


def test_a_blocked_sink_drops_lines_and_stops_nobody() -> None:
    released = threading.Event()

    class Blocked(io.StringIO):
        def write(self, text: str) -> int:
            released.wait(10)
            return super().write(text)

    stream = Blocked()
    writer = LineWriter(stream, limit=5)
    for number in range(100):
        writer.emit(logging.LogRecord("x", logging.INFO, "", 0, f"line {number}", None, None))

    assert 90 <= writer.dropped <= 95
    released.set()
    writer.close()
    assert stream.getvalue().startswith("line 0\n")


def test_users_are_hashed_with_a_salt_and_always_alike() -> None:
    one, other = UserHashes(SecretStr("a" * 32)), UserHashes(SecretStr("b" * 32))

    assert one.of("usr_1") == one.of("usr_1")
    assert len({one.of("usr_1"), one.of("usr_2"), other.of("usr_1"), "usr_1"}) == 4


def test_lines_of_one_user_can_be_told_together_across_a_change_of_the_secret() -> None:
    old, new = SecretStr("a" * 32), SecretStr("b" * 32)
    before, after = UserHashes(old).fields("usr_1"), UserHashes(new, [old]).fields("usr_1")

    assert before == {"user_hash": UserHashes(old).of("usr_1")}
    assert after == {"user_hash": UserHashes(new).of("usr_1"), "user_hash_previous": [before["user_hash"]]}


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_lines_for_people_and_a_file_gets_json() -> None:
    terminal = Log("auto", stream=Terminal())
    structlog.get_logger("request").info("request", method="GET", path="/pricing", status=200, elapsed_ms=18.3)
    shown = terminal.text()
    file = Log("auto")
    structlog.get_logger("request").info("request", method="GET", path="/pricing", status=200, elapsed_ms=18.3)

    assert "GET /pricing 200 in 18.3 ms" in shown
    assert re.search(r"\d\d:\d\d:\d\d", shown)
    assert len(shown.splitlines()) == 1
    assert file.lines()[0]["path"] == "/pricing"


@pytest.mark.parametrize(
    ("terminal", "environment", "colors"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(terminal: bool, environment: dict[str, str], colors: bool) -> None:
    assert shows_colors(Terminal() if terminal else io.StringIO(), environment) is colors


def test_what_was_logged_so_far_is_written_after_a_flush() -> None:
    stream = io.StringIO()
    writer = configure_logs(stream=stream)

    structlog.get_logger().info("said")
    writer.flush()

    assert "said" in stream.getvalue()
    writer.close()
