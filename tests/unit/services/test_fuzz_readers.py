"""Whatever bytes and texts come in from outside, the readers return something of ours or raise an error of ours.

The readers of whole answers have tests of their own (`test_payment_ms_fuzz.py`, `test_auth_ms.py`,
`test_upstream_answers.py`, `test_upstream_paths.py`, `test_redirects.py`).
"""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from api.events import signature_fits
from services.auth_ms import read_session
from services.errors import FrontendError
from services.rate_limits import address_key
from services.sessions.cookie import SessionCookie
from services.upstream.responses import Call, RawResponse, read_moment, read_response
from services.upstream.retry import read_retry_after
from services.web.safe_paths import safe_next
from tests.examples import examples
from ui.text.i18n import LOCALES, choose_locale

SECRET = SecretStr("Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1")
TEXT = st.text(max_size=60)
HEADER = st.text(st.characters(max_codepoint=255), max_size=60)
MOMENTS = st.one_of(
    TEXT, st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)", fullmatch=True)
)


@pytest.mark.faults("14 any bytes")
@given(
    body=st.one_of(st.binary(max_size=200), TEXT.map(str.encode)),
    status=st.integers(100, 599),
    kind=st.sampled_from(["application/json", "text/html", "", "application/json; charset=latin-1", "a/b;;"]),
    location=HEADER,
)
@examples(1000)
def test_any_answer_is_read_or_is_a_typed_error(body: bytes, status: int, kind: str, location: str) -> None:
    headers = {"content-type": kind, "location": location, "retry-after": location}
    with contextlib.suppress(FrontendError):
        answer = read_response(RawResponse(status, headers, body), Call("auth_ms", "create", "req-1"))
        read_session(answer, "project", SECRET)


@pytest.mark.faults("9 any Retry-After")
@given(value=st.one_of(HEADER, st.integers().map(str), st.floats().map(str)))
@examples(500)
def test_any_advice_is_seconds_within_a_minute_or_none(value: str) -> None:
    seconds = read_retry_after(value)

    assert seconds is None or 0 <= seconds <= 60


@pytest.mark.faults("23 any moment")
@given(value=st.one_of(MOMENTS, st.integers(), st.none(), st.lists(TEXT, max_size=2)))
@examples(500)
def test_any_moment_is_aware_or_unknown(value: object) -> None:
    moment = read_moment(value)

    assert moment is None or moment.utcoffset() == timedelta()


@given(path=st.one_of(TEXT, st.sampled_from("/\\ \t\n\r.@:").flatmap(lambda sign: TEXT.map(lambda t: f"/{sign}{t}"))))
@examples(1000)
def test_any_next_stays_on_this_site(path: str) -> None:
    kept = safe_next(path)

    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))
    assert not set(kept) & set("\r\n\t")


@given(cookie=st.one_of(st.none(), HEADER, HEADER.map(lambda text: f"{text}.{'0' * 32}")))
@examples(500)
def test_no_made_up_cookie_is_ours(cookie: str | None) -> None:
    assert SessionCookie(SECRET, secure=True, max_age=timedelta(days=1)).id_in(cookie) is None


@given(saved=st.one_of(st.none(), TEXT), header=HEADER)
@examples(500)
def test_any_language_is_one_of_ours(saved: str | None, header: str) -> None:
    assert choose_locale(saved, header) in LOCALES


@given(header=st.one_of(HEADER, st.integers().map(lambda t: f"t={t},v1={'a' * 64}")), body=st.binary(max_size=40))
@examples(500)
def test_no_made_up_signature_fits(header: str, body: bytes) -> None:
    assert not signature_fits(header, body, SECRET, 1_800_000_000)


@given(address=TEXT)
@examples(300)
def test_any_address_is_counted(address: str) -> None:
    assert isinstance(address_key(address), str)
