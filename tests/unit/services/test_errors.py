"""The one tree of errors: drawn as it is, and fit to be shown."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import errors
from services.errors import (
    AlreadySaid,
    CustomerUnknown,
    FrontendError,
    KeyLost,
    KeyRejected,
    UpstreamContractError,
    UpstreamError,
    UpstreamUnavailable,
)
from ui.text.i18n import LOCALES, catalogue

ROOT = Path(__file__).resolve().parents[3]
OURS = ("services", "ui", "api", "wiring", "cli")


def all_kinds(root: type[FrontendError]) -> Iterator[type[FrontendError]]:
    """Yield a class and every one below it that is loaded."""
    yield root
    for kind in root.__subclasses__():
        yield from all_kinds(kind)


ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FrontendError) and kind.__module__ == errors.__name__
]
BRANCHES = {"UpstreamError", "NothingCharged"}
SHOWN = [kind for kind in ALL if kind.__name__ not in BRANCHES]


def drawn_tree() -> dict[str, tuple[str, int | None]]:
    """Return what the module's docstring draws: class name to parent's name and HTTP status."""
    found: dict[str, tuple[str, int | None]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    (?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<status>\d{3}))?(?:  |$)", line)
        if match is None:
            continue
        depth = len(match["indent"]) // 4
        path = [*path[:depth], match["name"]]
        found[match["name"]] = (path[-2] if depth else "Exception", int(match["status"]) if match["status"] else None)
    return found


def test_docstring_draws_the_tree_as_it_is() -> None:
    actual = {
        kind.__name__: (
            kind.__bases__[0].__name__,
            None if kind.__name__ in BRANCHES | {"FrontendError"} else kind.status,
        )
        for kind in ALL
    }

    assert drawn_tree() == actual


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_when_it_is_raised(kind: type[FrontendError]) -> None:
    assert kind.__dict__.get("__doc__")


@pytest.mark.parametrize("kind", SHOWN)
def test_every_error_can_be_shown(kind: type[FrontendError]) -> None:
    assert 400 <= kind.status < 600
    assert re.fullmatch(r"[a-z][a-z_]+", kind.code)
    assert kind.sentence.endswith((".", "{money}"))
    assert kind.title
    assert not kind.title.endswith(".")
    assert "!" not in kind.title + kind.sentence


def test_codes_tell_errors_apart() -> None:
    codes = [kind.code for kind in SHOWN]

    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", SHOWN)
def test_nothing_was_charged_is_said_only_where_it_is_known(kind: type[FrontendError]) -> None:
    if "{money}" in kind.sentence:
        assert kind.money_moved is False


def test_key_that_never_worked_and_key_that_stopped_working_read_differently() -> None:
    never = KeyRejected("payment_ms", "portal", worked_before=False)
    stopped = KeyLost("payment_ms", "portal", worked_before=True)

    assert never.sentence == "Payments aren't set up yet."
    assert stopped.sentence == "Payments are unavailable right now."


def test_outage_has_the_agreed_sentence() -> None:
    assert UpstreamUnavailable.sentence == "Payments are unavailable right now. {money}"


def test_operator_message_names_service_operation_and_cause() -> None:
    error = UpstreamError("payment_ms", "portal", "answered 500", reason="server_error")

    assert str(error) == "payment_ms portal: answered 500"
    assert "answered 500" not in error.sentence


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("word", ["unavailable", "n't set up", "slow", "busy", "expired"])
def test_a_title_names_no_other_cause_than_its_sentence(kind: type[FrontendError], word: str) -> None:
    if word in kind.title.lower():
        assert word in kind.sentence.lower()
    if word in ("unavailable", "n't set up"):
        assert (word in kind.sentence.lower()) == (word in kind.title.lower())


@pytest.mark.parametrize("kind", SHOWN)
def test_who_is_told_to_try_again_may_do_so(kind: type[FrontendError]) -> None:
    """The root's sentence is for people: a program must not repeat what failed in a way that nobody foresaw."""
    if "Try again" in kind.sentence and kind is not FrontendError:
        assert kind.retryable


def test_who_meets_an_answer_that_breaks_the_contract_is_not_told_to_wait() -> None:
    """It is a fault that doesn't pass by itself."""
    assert not UpstreamContractError.retryable
    assert "Contact us" in UpstreamContractError.sentence


@pytest.mark.parametrize("kind", ALL)
def test_what_a_sentence_says_is_declared(kind: type[FrontendError]) -> None:
    declared = {
        AlreadySaid.TITLE: kind.sentence.startswith(kind.title) or kind is CustomerUnknown,
        AlreadySaid.MONEY: "{money}" in kind.sentence,
        AlreadySaid.RETRY: "try again" in kind.sentence.lower(),
    }

    assert kind.says == {part for part, said in declared.items() if said}


def test_every_error_of_ours_that_is_shown_stands_in_the_tree() -> None:
    shown = [
        kind for kind in all_kinds(FrontendError) if kind.__module__.partition(".")[0] in ("services", "ui", "api")
    ]

    assert {kind.__module__ for kind in shown} == {errors.__name__}


def test_no_sentence_is_built_by_looking_into_another_one() -> None:
    looks = re.compile(
        r"in \w+\.sentence\b|\.sentence\.(split|partition|replace|startswith|endswith|find|index|rstrip)"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if looks.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if not locale.startswith("en")])
def test_every_title_and_sentence_is_translated(locale: str) -> None:
    known = catalogue(locale)

    for kind in SHOWN:
        for text in (kind.title, kind.sentence):
            assert known.gettext(text) != text, (kind.__name__, text)
