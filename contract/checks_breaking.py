"""The one check that can break the service for good: two calls at once. Only with `--may-break-it`."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from contract.asking import status_path
from contract.explanations import Cause
from contract.results import CheckOutcome, Unmet, fine, skipped
from contract.target import ContractTarget
from contract.wire import SerialClient

PAIRS: Final = 25
"""The running service was dead after 0 to 3 good pairs, mostly."""


def two_at_once(subject: ContractTarget) -> CheckOutcome:
    """Two status calls at the same moment, again and again, and one more after each pair."""
    if not subject.may_break_it:
        return skipped("can break the service until it is restarted: add --may-break-it")
    path = status_path(subject.stranger, subject.product_id)
    address, key = subject.wire.base_url, subject.wire.key
    with SerialClient(address, key) as one, SerialClient(address, key) as other, ThreadPoolExecutor(2) as both:
        for pair in range(PAIRS):
            together = threading.Barrier(2)
            list(both.map(lambda wire: _ask(wire, path, together), (one, other)))  # noqa: B023 - done before the next
            reply = subject.wire.ask("GET", path)
            if reply.status in (401, 403):
                subject.is_broken = True
                words = f"after {pair + 1} × two calls at once it answers {reply.status} to a key that worked: restart"
                raise Unmet(words, Cause.ONE_CONNECTION)
            if reply.status >= 500:
                raise Unmet(f"after two calls at once it answers {reply.status}", Cause.ONE_CONNECTION)
    return fine(f"{PAIRS} × two at once, and it lives")


def _ask(wire: SerialClient, path: str, together: threading.Barrier) -> None:
    together.wait(10)
    with suppress(Unmet):  # what became of the service is asked afterwards
        wire.ask("GET", path)
