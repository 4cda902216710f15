"""What is counted, how cheaply, and that nothing that can fail is missing before it fails."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.errors import FrontendError, StoreUnavailable
from services.observability.loop_lag import LoopLag
from services.observability.metrics import LabelSets, Metrics, result_of
from services.observability.request_figures import RequestFigures
from services.upstream.outcomes import CallOutcome
from services.web.route_class import RouteClass
from wiring.labels import LABELS

ROOT = Path(__file__).resolve().parents[4]


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Return a metric's values by those of its labels, as Prometheus reads them."""
    return {
        tuple(value for _label, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        ("opened", "sold"),
        ("reused", "sold"),
        ("checkout_in_progress", "asked"),
        ("already_subscribed", "asked"),
        ("rate_limited", "asked"),
        ("selling_off", "asked"),
        ("upstream_key_rejected", "failed"),
        ("store_unavailable", "failed"),
        ("status_unknown", "failed"),
        ("crashed", "failed"),
        ("a word of another release", "failed"),
    ],
)
def test_a_checkout_is_sold_asked_about_or_failed(outcome: str, result: str) -> None:
    assert result_of(outcome) == result


def test_every_failure_stands_at_nothing_before_it_happens() -> None:
    metrics = Metrics(LABELS)

    checkouts, calls = samples(metrics, "billing_checkouts_total"), samples(metrics, "billing_upstream_calls_total")
    sign_ins = samples(metrics, "billing_sign_ins_total")

    for kind in ("subscription", "item", "cart"):
        assert checkouts[kind, StoreUnavailable.code, "failed"] == 0
        assert checkouts[kind, FrontendError.code, "failed"] == 0
        assert checkouts[kind, "opened", "sold"] == 0
    assert calls["checkout_cart", CallOutcome.KEY_REJECTED, "payment_ms"] == 0
    assert calls["refresh", CallOutcome.DEADLINE, "auth_ms"] == 0
    assert sign_ins["sign_in_unavailable",] == 0
    assert samples(metrics, "billing_confirmations_total").keys() == {
        ("confirmed",), ("no_access",), ("lost",), ("unseen",)
    }  # fmt: skip
    assert samples(metrics, "billing_disagreements_total").keys() == {("account_differs",), ("plan_differs",)}
    assert samples(metrics, "billing_requests_total")["page", "5xx"] == 0


def test_every_call_of_the_serving_app_is_counted_from_nothing() -> None:
    for service in ("payment_ms", "auth_ms"):
        text = (ROOT / "services" / f"{service}.py").read_text(encoding="utf-8")
        named = set(re.findall(r"(?:upstream\.call|self\._ask)\(\s*(?:ContractFeature\.\w+,\s*)?f?\"([a-z_]+)", text))
        known = set(LABELS.operations[service])

        of_commands = {"openapi", "register"}
        assert {name for name in named - of_commands if not any(one.startswith(name) for one in known)} == set()


def test_requests_are_counted_in_prometheus_own_form() -> None:
    figures = RequestFigures()
    metrics = Metrics(LabelSets())
    metrics.registry.unregister(metrics.requests)
    metrics.registry.register(figures)
    for seconds in (0.004, 0.01, 0.3, 60.0):
        figures.count(RouteClass.PAGE, 200, seconds)
    figures.count(RouteClass.PAGE, 0, 1.0)

    ended, took = samples(metrics, "billing_requests_total"), samples(metrics, "billing_request_seconds_bucket")

    assert (ended["page", "2xx"], ended["page", "gone"]) == (4, 1)
    assert [took[bound, "page"] for bound in ("0.01", "0.25", "0.5", "1.0", "10.0", "+Inf")] == [2, 2, 3, 4, 4, 5]
    assert samples(metrics, "billing_request_seconds_sum")["page",] == pytest.approx(61.314)
    assert samples(metrics, "billing_request_seconds_count")["press",] == 0


def test_what_is_sent_stays_small() -> None:
    text = Metrics(LABELS).text()

    assert b"_created" not in text
    assert len(text.splitlines()) < 900


async def test_a_loop_that_is_held_up_is_seen() -> None:
    seen: asyncio.Queue[float] = asyncio.Queue()
    lag = LoopLag(seen.put_nowait, every=0.01)

    lag.start()
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251  # what must never happen, and does
    async with asyncio.timeout(5):
        late = await seen.get()
    await lag.stop()

    assert 0.05 < late < 2
