"""Whatever interrupts `register`, no id that the Payment MS gave is lost, and no file is half-written."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalog import load_catalog
from cli.register_command import register
from tests.cli.installation import Installation
from tests.cli.operator import COMMAND, PLANS, Operator, journal, product_ids, registrations
from tests.contract.mock_payment_ms import MockAnswer, MockPaymentMS, MockRequest


class Held:
    """The answer to one plan's registration, held back until it is let go."""

    def __init__(self, mock: MockPaymentMS, name: str) -> None:
        self._name = name
        self.arrived, self.go = threading.Event(), threading.Event()
        mock.breakage = self._hold

    def _hold(self, asked: MockRequest, right: MockAnswer) -> MockAnswer:
        if asked.path == "/admin/products/register" and asked.body["plans"][0]["name"] == self._name:
            self.arrived.set()
            assert self.go.wait(30)
        return right


@contextmanager
def registering() -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, with --yes."""
    with subprocess.Popen(
        [*COMMAND, "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_waits_for_the_answer_under_way_and_notes_it(
    installation: Installation, payment_ms: MockPaymentMS, number: signal.Signals
) -> None:
    before = installation.catalog.read_bytes()
    held = Held(payment_ms, "Premium")

    with registering() as process:
        assert held.arrived.wait(30)
        process.send_signal(number)
        held.go.set()
        output, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Interrupted. What was created is noted" in output
    assert installation.catalog.read_bytes() == before
    assert registrations(payment_ms) == ["Basic", "Premium"]
    assert register(Operator().console(yes=True)) == 0
    assert registrations(payment_ms) == PLANS
    assert product_ids(installation) == {name: payment_ms.registered[name] for name in PLANS}


def test_process_that_is_killed_has_lost_nothing_it_was_told(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    before = installation.catalog.read_bytes()
    held = Held(payment_ms, "Premium")
    with registering() as process:
        assert held.arrived.wait(30)
        process.kill()
        process.wait(10)
    held.go.set()
    operator = Operator(["y", "price_1Month", "price_1Year", "y"])

    code = register(operator.console())

    assert before != installation.catalog.read_bytes()
    assert code == 0
    assert registrations(payment_ms) == ["Basic", "Premium", "Premium", "Enterprise"]
    assert product_ids(installation) == {name: payment_ms.registered[name] for name in PLANS}
    assert load_catalog(installation.catalog).plan("basic").prices["month"].price_id == "price_made_0_month"  # type: ignore[index]
    assert load_catalog(installation.catalog).plan("premium").prices["month"].price_id == "price_1Month"  # type: ignore[index]


@pytest.mark.parametrize("question", [1, 2])
def test_terminal_that_goes_away_at_a_question_loses_nothing(
    installation: Installation, payment_ms: MockPaymentMS, question: int
) -> None:
    class Leaving(Operator):
        def ask(self, question_asked: str) -> str:
            self.asked.append(question_asked)
            if len(self.asked) == question:
                raise EOFError
            return "y"

    code = register(Leaving().console())

    assert code == 130
    assert register(Operator().console(yes=True)) == 0
    assert registrations(payment_ms) == PLANS
    assert product_ids(installation) == {name: payment_ms.registered[name] for name in PLANS}


def test_write_that_fails_leaves_the_file_and_the_ids(
    installation: Installation, payment_ms: MockPaymentMS, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = installation.catalog.read_bytes()
    operator = Operator()

    def full(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", full)
        code = register(operator.console(yes=True))

    assert code == 1
    assert "can't be written (No space left on device)" in operator.words
    assert installation.catalog.read_bytes() == before
    assert sorted(path.name for path in installation.folder.iterdir() if "products" in path.name) == [
        ".products.json.registered",
        "products.json",
    ]
    assert register(Operator().console(yes=True)) == 0
    assert registrations(payment_ms) == PLANS


def test_file_that_somebody_changed_meanwhile_is_not_overwritten(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    class Editing(Operator):
        def ask(self, question: str) -> str:
            if question.startswith("Write"):
                text = installation.catalog.read_text(encoding="utf-8")
                installation.catalog.write_text(text.replace("20 projects", "25 projects"), encoding="utf-8")
            return "y"

    operator = Editing()

    code = register(operator.console())

    assert code == 1
    assert "was changed by somebody else meanwhile; run this again" in operator.words
    assert "prod_made" not in installation.catalog.read_text(encoding="utf-8")
    assert register(Operator().console(yes=True)) == 0
    assert "25 projects" in installation.catalog.read_text(encoding="utf-8")
    assert registrations(payment_ms) == PLANS


def test_second_register_at_the_same_time_is_refused(installation: Installation, payment_ms: MockPaymentMS) -> None:
    held, operator = Held(payment_ms, "Basic"), Operator()

    with registering() as process:
        assert held.arrived.wait(30)
        code = register(operator.console(yes=True))
        held.go.set()
        process.communicate(timeout=30)

    assert code == 1
    assert "Another register works on this catalog" in operator.words
    assert process.returncode == 0
    assert registrations(payment_ms) == PLANS


def test_ids_of_another_service_are_left_for_it(installation: Installation, payment_ms: MockPaymentMS) -> None:
    register(Operator(["y", "n"]).console())
    noted = journal(installation).read_text()
    installation.set(payment_ms_url=payment_ms.url.replace("127.0.0.1", "localhost"))
    payment_ms.registered.clear()

    code = register(Operator().console(yes=True))

    assert code == 0
    assert registrations(payment_ms) == [*PLANS, *PLANS]
    assert journal(installation).read_text() == noted


def test_line_that_a_crash_broke_off_spoils_no_other(installation: Installation, payment_ms: MockPaymentMS) -> None:
    register(Operator(["y", "n"]).console(), only=["basic"])
    with journal(installation).open("a") as file:
        file.write('{"service":"x","plan":"prem')

    declined = register(Operator(["y", "n"]).console(), only=["premium"])

    assert declined == 1
    assert register(Operator().console(yes=True)) == 0
    assert registrations(payment_ms) == ["Basic", "Premium", "Enterprise"]
    assert not journal(installation).exists()


def test_folder_in_which_nothing_can_be_noted_stops_it_before_anything_is_created(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    journal(installation).mkdir()
    operator = Operator()

    assert register(operator.console(yes=True)) == 1
    assert "the ids could not be kept safe without it" in operator.words
    assert payment_ms.asked == []
