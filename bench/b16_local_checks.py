"""What a check costs: in a service beside us, by language, and here when it asks about a user that is known."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from bench.results import Figure, against, at_most, percentile
from bench.world import MeasuredProduct, cpu_seconds, our_world
from clients.python.billing_entitlements import Billing
from harness.app_process import NO_AUTHORITIES, ROOT
from services.web.service_tokens import digest_of, new_token

CLIENTS: Final = ROOT / "clients"
CALLS, TOKENS = 20_000, 1_000
ROUNDS, QUESTIONS = 5, 400
MOST: Final = 1000.0
"""Microseconds that a local check may take."""


def run(folder: Path) -> list[Figure]:
    """Ask the Python client here, the others' own tests, which print what they measured, and an app."""
    return [*_clients(), _lookup(folder)]


def _lookup(folder: Path) -> Figure:
    """Return the processor time of a question about a user who was here a moment ago, in turns with `/healthz`."""
    token = new_token()
    settings = {"SERVICE_TOKENS": f"bench={digest_of(token)}", "LIMIT_SERVICE_QUERIES": "1000000/minute"}
    with our_world(folder, app=settings) as world:
        person = world.person()
        world.put(person, "active")
        person.client.get("/api/payment/subscriptions").raise_for_status()
        bearer = {"Authorization": f"Bearer {token}"}
        asked, healthy = [], []
        with httpx.Client(base_url=world.url, headers=bearer, trust_env=False, verify=NO_AUTHORITIES) as service:
            for _round in range(ROUNDS + 1):
                healthy.append(_cost(world, service, "/healthz"))
                asked.append(_cost(world, service, f"/api/entitlements/{person.user_id}"))
    name, note = "processor time of a question about a known user", "reference: /healthz"
    figure = against(16, name, asked[1:], healthy[1:], "ms", note)
    return at_most(figure, 2, of="ratio")


def _cost(world: MeasuredProduct, service: httpx.Client, path: str) -> float:
    before = cpu_seconds(world.process)
    for _ in range(QUESTIONS):
        service.get(path).raise_for_status()
    return (cpu_seconds(world.process) - before) * 1000 / QUESTIONS


def _clients() -> list[Figure]:
    go = {"GOWORK": str(CLIENTS / "go" / "debian.work"), "GOPROXY": "off"}
    measured = {
        "Python": _python(),
        "Node": _printed(["node", "--test", "--test-reporter=tap", "test/billing.test.js"], "node", {}),
        "Go": _printed(["go", "test", "-count=1", "-v", "-run", "NoMillisecond", "."], "go", go),
    }
    figures = []
    for language, took in measured.items():
        check, empty = took["check"], took["empty"]
        known = Figure(
            16, f"p99 of a check of what is known, {language}", round(check, 2), "µs",
            round(empty, 2), round(check / empty, 1), note="against an empty function",
        )  # fmt: skip
        token = Figure(16, f"processor time of verifying a token, {language}", round(took["verify"]), "µs")
        figures += [at_most(known, MOST), at_most(token, MOST)]
    return figures


def _python() -> dict[str, float]:
    vectors = json.loads((CLIENTS / "vectors.json").read_text(encoding="utf-8"))
    good = next(one["token"] for one in vectors["tokens"] if one["name"] == "good")

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=vectors["keys"] if "jwks" in request.url.path else {"token": good})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    billing = Billing(vectors["issuer"], service_token="bst_1", http=http, now=lambda: vectors["now"])  # noqa: S106
    billing.of("usr_1")
    empty, check = _p99(lambda: None), _p99(lambda: billing.require("usr_1", "exports"))
    began = time.process_time()
    for _ in range(TOKENS):
        billing.verify(good)
    return {"empty": empty, "check": check, "verify": (time.process_time() - began) * 1e6 / TOKENS}


def _p99(called: Callable[[], object]) -> float:
    took = []
    for _ in range(CALLS):
        began = time.perf_counter_ns()
        called()
        took.append((time.perf_counter_ns() - began) / 1000)
    return percentile(took, 99)


def _printed(arguments: list[str], folder: str, environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        arguments, cwd=CLIENTS / folder, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    found = re.search(r"in microseconds: (\{.*\})", done.stdout)
    if found is None:
        raise ValueError(f"{arguments[0]} printed no figures")
    figures: dict[str, float] = json.loads(found[1])
    return figures
