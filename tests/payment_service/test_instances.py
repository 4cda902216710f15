"""Two instances on one PostgreSQL, the sandbox's Stripe, and a crowd: nobody waits, and nothing is lost."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster import until
from harness.own_stripe_crowd import PRODUCT, Buyers, two_instances, wait_for
from harness.postgres_server import PostgresServer

pytestmark = pytest.mark.long


@pytest.fixture
def crowd(tmp_path: Path, postgres: PostgresServer) -> Iterator[Buyers]:
    with two_instances(tmp_path, postgres) as people:
        yield people


def test_crowd_buys_and_nobody_is_refused_or_forgotten(crowd: Buyers) -> None:
    crowd.run("quiet", lambda: None)


def test_instance_that_takes_the_webhooks_is_killed_in_the_middle(crowd: Buyers) -> None:
    def kill() -> None:
        assert until(lambda: len(crowd.confirmed) >= 5, 60)
        crowd.instances[0].kill()

    crowd.run("killed", kill)
    crowd.instances[0].start()
    wait_for(crowd.instances[0])


def test_postgres_is_restarted_in_the_middle(crowd: Buyers, postgres: PostgresServer) -> None:
    def restart() -> None:
        assert until(lambda: len(crowd.confirmed) >= 5, 60)
        postgres.restart()

    crowd.run("restarted", restart)


def test_status_is_quick_while_nothing_else_happens(crowd: Buyers) -> None:
    path = f"/api/v1/subscriptions/nobody/{PRODUCT}"
    took = []
    for _ in range(300):
        began = time.perf_counter()
        crowd.ask("GET", path)
        took.append(time.perf_counter() - began)

    middle = sorted(took)[len(took) // 2] * 1000
    print(json.dumps({"status_p50_ms": round(middle, 2)}))
    assert middle < 5.0
