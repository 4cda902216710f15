"""`python -m bench [NUMBER …]`: run the benches and write what they measured."""

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import model, simulation
from bench.results import GROWTH, Figure, put, table, write

BENCHES: Final = (
    "b01_checkout", "b02_click", "b03_render", "b04_paint", "b05_memory", "b06_tabs", "b07_upstream_calls",
    "b08_replicas", "b09_start", "b10_transfer", "b11_watching", "b12_purchases",
    "b13_strangers", "b14_closed_pages", "b15_first_pages", "b16_local_checks", "b17_own_stripe",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run all benches, or those whose numbers are given. A missed target is a result, not a failure."""
    wanted = {int(argument) for argument in arguments} or set(range(1, len(BENCHES) + 1))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for number, name in enumerate(BENCHES, start=1):
            if number not in wanted:
                continue
            began = time.monotonic()
            found = importlib.import_module(f"bench.{name}").run(Path(folder) / name)
            print(f"{number}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            figures += [replace(figure, load=round(os.getloadavg()[0], 1)) for figure in found]
    write(figures)
    put(GROWTH, "model", model.both_tables())
    put(GROWTH, "simulation", simulation.table())
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
