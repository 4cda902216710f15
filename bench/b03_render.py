"""Processor time of a page view, against a bare NiceGUI page with as many elements; both of somebody signed in."""

from pathlib import Path

import httpx
import psutil

from bench.results import Figure, against, at_most
from bench.world import bare_world, cpu_seconds, element_counts, our_world

VIEWS = 25
ROUNDS = 5
MOST_FOR_PAYMENT = 10.0
"""Milliseconds."""


def run(folder: Path) -> list[Figure]:
    """View each page of both apps in turns."""
    figures = []
    with our_world(folder) as world:
        person = world.person()
        counts = element_counts(world, person)
        with bare_world(*counts) as bare, httpx.Client(base_url=bare.url, trust_env=False, timeout=60) as plain:
            for path, count in zip(("/pricing", "/payment"), counts, strict=True):
                ours, theirs = [], []
                for _round in range(ROUNDS + 1):
                    ours.append(_milliseconds(person.client, path, world.process))
                    theirs.append(_milliseconds(plain, path, bare.process))
                name = f"processor time of a view of {path}"
                figure = against(3, name, ours[1:], theirs[1:], "ms", f"{count} elements each")
                figure = at_most(figure, 1.5, of="ratio")
                figures.append(at_most(figure, MOST_FOR_PAYMENT) if path == "/payment" else figure)
    return figures


def _milliseconds(client: httpx.Client, path: str, process: psutil.Process) -> float:
    before = cpu_seconds(process)
    for _view in range(VIEWS):
        client.get(path, headers={"Accept-Encoding": "gzip"}).raise_for_status()
    return (cpu_seconds(process) - before) * 1000 / VIEWS
