"""What the service counts, for Prometheus. Names begin with `payment_service_`; no label holds anything of a user."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ServiceMetrics:
    """All metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Histogram(
            "payment_service_request_seconds", "Requests, by route and status", ["route", "status"],
            buckets=_FAST, registry=registry,
        )  # fmt: skip
        self.stripe_calls = Counter(
            "payment_service_stripe_calls", "Calls to Stripe", ["operation", "result"], registry=registry
        )
        self.stripe_seconds = Histogram(
            "payment_service_stripe_seconds", "How long Stripe took", ["operation"], buckets=_FAST, registry=registry
        )
        self.events = Counter("payment_service_stripe_events", "Stripe's events", ["type", "result"], registry=registry)
        self.last_event = Gauge(
            "payment_service_last_event_timestamp_seconds", "When an event last came from Stripe", registry=registry
        )
        self.seconds = Counter(
            "payment_service_second_subscriptions", "Second subscriptions of a group", ["result"], registry=registry
        )
        self.told = Counter(
            "payment_service_events_told", "Events to the app and the Auth MS", ["target", "result"], registry=registry
        )
        self.untold = Gauge("payment_service_events_waiting", "Events not taken yet", ["target"], registry=registry)
        self.refused = Counter("payment_service_refused", "Calls that were refused", ["reason"], registry=registry)
