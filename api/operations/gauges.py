"""The figures that are read from the parts when the metrics are asked for."""

import math
import time
from datetime import UTC, datetime
from functools import partial

from services.alarms.alarm import ALARMS, AlarmKey
from services.container import Container
from services.live_status.confirmations import ConfirmationWatch
from services.observability.logs import dropped_lines
from services.observability.metrics import GaugeReading
from services.people.reconciliation import FindingKind


def gauges(container: Container, confirmations: ConfirmationWatch) -> tuple[GaugeReading, ...]:
    """Return the gauges of this process."""
    started_at, status, clock = time.time(), container.status, container.payment_upstream.clock_skew
    return (
        GaugeReading("billing_watchers", "Users whose status is watched.", lambda: status.watchers),
        GaugeReading("billing_tabs", "Tabs that watch a status.", lambda: status.tabs),
        GaugeReading(
            "billing_catalog_refused",
            "1 while the catalog's file can't be used.",
            lambda: 1.0 if container.catalogs.problem else 0.0,
        ),
        GaugeReading(
            "billing_limits_degraded",
            "1 while limits are counted by this replica alone.",
            lambda: 1.0 if container.limits.degraded else 0.0,
        ),
        GaugeReading(
            "billing_clock_off_seconds",
            "How far this machine's clock is behind the services' (NaN: they contradict each other).",
            lambda: offset.total_seconds() if (offset := clock.offset) is not None else math.nan,
        ),
        GaugeReading(
            "billing_unknown_account_plans",
            "Plans that accounts name and the catalog does not know.",
            lambda: len(container.refresher.unknown_plans.names),
        ),
        GaugeReading(
            "billing_confirmations_waiting",
            "Plans bought that no service has confirmed yet, within ten minutes of the return; over all replicas.",
            lambda: confirmations.waiting,
        ),
        GaugeReading(
            "billing_outbox_events",
            "Events that endpoints have yet to take, over all replicas.",
            lambda: container.webhooks.backlog.events,
        ),
        GaugeReading(
            "billing_outbox_oldest_seconds",
            "How long the oldest of them has waited.",
            lambda: container.webhooks.backlog.age(datetime.now(UTC)),
        ),
        GaugeReading(
            "billing_webhooks_dead",
            "Events that an endpoint did not take in a day, of the last thirty.",
            lambda: len(container.webhooks.dead),
        ),
        *(
            GaugeReading(
                "billing_alarm",
                "1 while this alarm stands (what it means: docs/operations.md).",
                partial(_stands, container, alarm.key),
                {"alarm": alarm.key.value},
            )
            for alarm in ALARMS
        ),
        *(
            GaugeReading(
                "billing_reconcile_findings",
                "What the last complete run of `reconcile` found, by kind (NaN: there was none).",
                partial(_found, container, kind),
                {"kind": kind.value},
            )
            for kind in FindingKind
        ),
        GaugeReading(
            "billing_reconcile_customers",
            "Customers that it looked at.",
            lambda: math.nan if (last := container.reconciled.figures) is None else last.customers,
        ),
        GaugeReading(
            "billing_reconcile_finished_timestamp_seconds",
            "When it ended, in Unix time.",
            lambda: math.nan if (last := container.reconciled.figures) is None else last.ended_at.timestamp(),
        ),
        GaugeReading("billing_log_lines_dropped", "Log lines that could not be written.", dropped_lines),
        GaugeReading("billing_started_at", "When the process was started, in Unix time.", lambda: started_at),
    )


def _found(container: Container, kind: FindingKind) -> float:
    last = container.reconciled.figures
    return math.nan if last is None else last.findings.get(kind, 0)


def _stands(container: Container, key: AlarmKey) -> float:
    return 1.0 if any(one.alarm.key is key for one in container.alarms.standing) else 0.0
