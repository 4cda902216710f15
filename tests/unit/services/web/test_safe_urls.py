"""No address from a service sends a browser anywhere but to the hosts on the list."""

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.errors import UnsafeRedirect
from services.web.safe_urls import safe_redirect
from tests.examples import examples

HOSTS = ("checkout.stripe.com", "localhost:9000")
GOOD = "https://checkout.stripe.com/c/pay/cs_test_1?a=b%20c#fidkdWxOYHwnPyd1blpxYHZxWjA0"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        (GOOD, GOOD),
        ("https://checkout.stripe.com", "https://checkout.stripe.com/"),
        ("https://checkout.stripe.com:443/x", "https://checkout.stripe.com/x"),
        ("https://CHECKOUT.Stripe.com/x", "https://checkout.stripe.com/x"),
        ("https://localhost:9000/pay", "https://localhost:9000/pay"),
        ("https://checkout.stripe.com?x=1", "https://checkout.stripe.com/?x=1"),
    ],
)
def test_listed_host_is_written_anew(url: str, written: str) -> None:
    assert safe_redirect(url, HOSTS) == written


BAD = [
    "",
    "http://checkout.stripe.com/x",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//checkout.stripe.com",
    "data:text/html,<script>",
    "//checkout.stripe.com/x",
    "/c/pay/cs_1",
    "https:checkout.stripe.com",
    "https:///checkout.stripe.com",
    "https://evil.example/checkout.stripe.com",
    "https://checkout.stripe.com.evil.example/",
    "https://evil-checkout.stripe.com/",
    "https://stripe.com/",
    "https://checkout.stripe.com./",
    "https://checkout.stripe.com@evil.example/",
    "https://user@checkout.stripe.com/",
    "https://user:pw@checkout.stripe.com/",
    "https://checkout.stripe.com:8443/",
    "https://checkout.stripe.com:/",
    "https://checkout.stripe.com:0443/",
    "https://checkout.stripe.com:99999999/",
    "https://localhost/",
    "https://checkout.stripe.com\\@evil.example/",
    "https://checkout.stripe.com\\.evil.example/",
    "https:\\\\checkout.stripe.com/",
    "https://checkout.stripe.com/\r\nSet-Cookie: a=b",
    "https://checkout.stripe.com/\n",
    "https://checkout.stripe.com/\x00",
    "https://check\tout.stripe.com/",
    " https://checkout.stripe.com/",
    "https://checkout.stripe.com/a b",
    "https://сheckout.stripe.com/",
    "https://checkout。stripe.com/",
    "https://xn--heckout-jzf.stripe.com/",
    "https://checkout.stripe.com%2eevil.example/",
    "https://checkout.stripe.com/%zz",
    "https://checkout.stripe.com/<script>",
    'https://checkout.stripe.com/"onmouseover=',
    "https://[::1]/",
    "https://checkout.stripe.com/" + "a" * 9000,
]


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_refused_and_logged(url: str) -> None:
    with capture_logs() as logs, pytest.raises(UnsafeRedirect) as caught:
        safe_redirect(url, HOSTS)

    assert [entry["event"] for entry in logs] == ["unsafe_redirect"]
    assert logs[0]["log_level"] == "error"
    assert caught.value.sentence == "We couldn't open checkout safely, so we stopped. {money} Contact us."


def test_log_names_the_host_and_nothing_behind_it() -> None:
    with capture_logs() as logs, pytest.raises(UnsafeRedirect):
        safe_redirect("https://evil.example/path?token=secret", HOSTS)

    assert logs[0]["host"] == "evil.example"
    assert "secret" not in str(logs)


def test_http_is_for_the_sandbox_only() -> None:
    assert safe_redirect("http://localhost:9000/pay", HOSTS, allow_http=True) == "http://localhost:9000/pay"
    with pytest.raises(UnsafeRedirect):
        safe_redirect("http://localhost:9000/pay", HOSTS)


def test_listed_default_port_means_the_host_without_one() -> None:
    assert safe_redirect("https://pay.example/", ("pay.example:443",)) == "https://pay.example/"


HOSTILE = (
    "https:",
    "http:",
    "javascript:",
    "/",
    "//",
    "\\",
    "@",
    ":",
    "443",
    "?",
    "#",
    ".",
    "%2f",
    "é",
    "。",
    "[",
    "::1",
)
OTHERS = ("。", "c/pay", "localhost", "9000", "evil.example")
PIECES = st.sampled_from([*HOSTILE, *OTHERS, *HOSTS, " ", "\t", "\r\n", "\x00", "\u202e"])


@given(url=st.one_of(st.text(), st.lists(PIECES, max_size=10).map("".join), PIECES.map(lambda piece: GOOD + piece)))
@example(url=GOOD)
@examples(2000)
def test_whatever_passes_leads_every_parser_to_a_listed_host(url: str) -> None:
    try:
        written = safe_redirect(url, HOSTS)
    except UnsafeRedirect:
        return

    assert urlsplit(written).scheme == "https"
    assert urlsplit(written).netloc in HOSTS
    assert httpx.URL(written).netloc.decode() in HOSTS
    assert written.isascii()
    assert written.isprintable()
    assert safe_redirect(written, HOSTS) == written
