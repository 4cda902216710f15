"""Reading what came back: any bytes become an answer, a model or a typed error, and nothing else."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.errors import UpstreamContractError, UpstreamError, UpstreamFailed
from services.upstream.responses import (
    Call,
    RawResponse,
    ResponseModel,
    UpstreamResponse,
    note_moment_form,
    parse_json,
    read_as,
    read_moment,
    read_response,
)
from tests.examples import examples

CALL = Call("payment_ms", "status", "req-1")
JSON = {"content-type": "application/json"}


def reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> RawResponse:
    return RawResponse(status, JSON if headers is None else headers, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html></html>",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_plain_json_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json raises several kinds of it
        parse_json(body)

    with pytest.raises(UpstreamContractError) as caught:
        read_response(reply(body), CALL)
    assert caught.value.reason == "bad_json"


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "", "application/jsonp", "<script>"])
def test_success_in_another_content_type_is_an_error(kind: str) -> None:
    with pytest.raises(UpstreamContractError) as caught:
        read_response(reply(b"{}", headers={"content-type": kind}), CALL)

    assert caught.value.reason == "content_type"
    assert "<" not in str(caught.value)


def test_content_type_may_name_a_character_set() -> None:
    assert read_response(reply(b"{}", headers={"content-type": "Application/JSON; charset=utf-8"}), CALL).ok


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_redirect_is_an_error_that_names_the_host_only(status: int) -> None:
    headers = {"location": "https://user:pw@evil.example/path?token=secret"}

    with pytest.raises(UpstreamContractError) as caught:
        read_response(reply(b"", status, headers), CALL)

    assert caught.value.reason == "redirect"
    assert "evil.example" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_server_side_failure_keeps_codes_and_advice(status: int) -> None:
    body = b'{"error":{"code":"STRIPE_ERROR","description":"No such customer: cus_1"},"meta":{"request_id":"up-1"}}'

    with pytest.raises(UpstreamFailed) as caught:
        read_response(reply(body, status, {**JSON, "retry-after": "3"}), CALL)

    assert (caught.value.upstream_code, caught.value.upstream_request_id) == ("STRIPE_ERROR", "up-1")
    assert caught.value.retry_after == 3.0
    assert caught.value.upstream_status == status
    assert "cus_1" not in str(caught.value)


@pytest.mark.parametrize("code", ["<b>", "code with spaces", "x" * 100, 5, None, "lower"])
def test_error_code_that_does_not_look_like_one_is_dropped(code: object) -> None:
    answer = read_response(reply(json.dumps({"error": {"code": code}}).encode(), 400), CALL)

    assert answer.error_code is None


class NamedCount(ResponseModel):
    name: str
    count: int


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({"name": "a"}, ("count",)),
        ({"name": None, "count": 1}, ("name",)),
        ({"name": 5, "count": "1"}, ("count", "name")),
        ({"name": "a", "count": True}, ("count",)),
        ([], ("(the whole)",)),
        (None, ("(the whole)",)),
    ],
)
def test_wrong_shape_names_its_fields_and_no_values(content: object, fields: tuple[str, ...]) -> None:
    answer = read_response(reply(json.dumps(content).encode()), CALL)

    with pytest.raises(UpstreamContractError) as caught:
        read_as(NamedCount, answer)

    assert caught.value.fields == fields
    assert caught.value.reason == "schema"


def test_unknown_fields_are_ignored() -> None:
    answer = read_response(reply(b'{"name":"a","count":1,"new":{"deep":[1]}}'), CALL)

    assert read_as(NamedCount, answer) == NamedCount(name="a", count=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-23T20:15:23Z", datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC)),
        ("2026-12-23T20:15:23.503706975Z", datetime(2026, 12, 23, 20, 15, 23, 503706, tzinfo=UTC)),
        ("2026-12-23t20:15:23.5z", datetime(2026, 12, 23, 20, 15, 23, 500000, tzinfo=UTC)),
        ("2026-12-23T22:15:23+02:00", datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1970-01-01T00:00:00Z", None),
        ("1969-12-31T19:00:00-05:00", None),
        ("1971-01-01T00:00:00Z", datetime(1971, 1, 1, tzinfo=UTC)),
    ],
)
def test_time_is_aware_utc_or_unknown(text: str, moment: datetime | None) -> None:
    assert read_moment(text) == moment


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-12-23T20:15:23", datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC)),
        ("2026-12-23 20:15:23.25", datetime(2026, 12, 23, 20, 15, 23, 250000, tzinfo=UTC)),
        ("2026-12-23 20:15:23+00", datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC)),
        ("2026-12-23T20:15Z", datetime(2026, 12, 23, 20, 15, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 12, tzinfo=UTC)),
        (1798675200, datetime(2026, 12, 31, tzinfo=UTC)),
        (1798675200.5, datetime(2026, 12, 31, 0, 0, 0, 500000, tzinfo=UTC)),
        (1798675200000, datetime(2026, 12, 31, tzinfo=UTC)),
        (1798675200000000000, datetime(2026, 12, 31, tzinfo=UTC)),
        ("1798675200", datetime(2026, 12, 31, tzinfo=UTC)),
        ("1798675200000", datetime(2026, 12, 31, tzinfo=UTC)),
    ],
)
def test_time_in_another_form_is_made_sense_of(value: object, moment: datetime) -> None:
    assert read_moment(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        5,
        -5,
        True,
        float("nan"),
        float("inf"),
        1e300,
        "",
        "tomorrow",
        "20261223T201523Z",
        "23.12.2026",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-12-23T25:00:00Z",
        "2026-12-23T23:59:60Z",
        "2026-12-23T20:15:23+99:00",
        "٢٠٢٦-12-23T20:15:23Z",
        "9001-01-01T00:00:00Z",
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-05:00",
        253402300799,
        [2026],
        {"seconds": 5},
    ],
)
def test_what_is_no_time_is_unknown_and_no_error(value: object) -> None:
    assert read_moment(value) is None


def test_another_form_is_told_to_the_operator_once_and_never_with_its_text() -> None:
    note_moment_form.cache_clear()

    with capture_logs() as logs:
        for _time in range(3):
            read_moment("2026-12-23T20:15:23")
            read_moment("2026-12-23")
            read_moment("sooner or later")
            read_moment("9999-12-31T00:00:00Z")
            read_moment(1798675200)
            read_moment("2026-12-23T20:15:23Z")

    forms = sorted(entry["form"] for entry in logs)
    assert forms == ["a day", "a number", "beyond the calendar", "no time", "no zone"]
    assert "sooner" not in str(logs)


@given(
    moment=st.datetimes(
        min_value=datetime(1971, 1, 3),
        max_value=datetime(8999, 12, 29),
        timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    )
)
def test_any_time_written_by_the_rules_is_read_back(moment: datetime) -> None:
    found = read_moment(moment.isoformat())

    assert found == moment
    assert found is not None
    assert found.utcoffset() == timedelta(0)


BODIES = st.one_of(st.binary(max_size=200), st.text(max_size=50).map(lambda text: json.dumps(text).encode()))


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "location", "retry-after"]), st.text(max_size=60), max_size=3
    ),
    body=BODIES,
)
@examples(1000)
def test_any_reply_is_an_answer_or_a_typed_error(status: int, headers: dict[str, str], body: bytes) -> None:
    found: UpstreamResponse | UpstreamError
    try:
        found = read_response(RawResponse(status, headers, body), CALL)
    except UpstreamError as error:
        found = error

    if isinstance(found, UpstreamResponse):
        assert 200 <= found.status < 500
    else:
        assert str(found).isascii()
        assert len(str(found)) < 500
