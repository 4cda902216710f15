"""Many stories on many cores: in pieces, resumable, and each failure as the shortest story that shows it."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from truth.life import play
from truth.mutation import ROOT
from truth.oracle import Verdict
from truth.shrinking import shortest
from truth.story import LifeStory, story_of
from truth.story_world import Failure

PIECE: Final = 25
"""Stories that a process plays before it reports."""
PIECES_OF_A_PROCESS: Final = 4
"""So many pieces, and a fresh process takes over: what each story's own app registers is not given back before."""

SOFTER: Final = frozenset({Verdict.LATE, Verdict.AS_TOLD, Verdict.DATED})
"""What is softer than true, and not false."""

Print = Callable[[str], None]
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclass
class Report:
    """What came of a piece."""

    stories: int = 0
    said: Counter[str] = field(default_factory=Counter)
    softer: Counter[str] = field(default_factory=Counter)
    found: list[tuple[int, Failure]] = field(default_factory=list)


@lru_cache
def code_digest() -> str:
    """Return a digest of all code: a run goes on only with the code that it was begun with."""
    found = hashlib.sha256()
    for folder in ("api", "payment_service", "sandbox", "services", "truth", "ui", "wiring"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()


def play_piece(first: int, last: int, to_the_end: bool, service: str = "recorded") -> Report:
    """Play the stories of the seeds from `first` to `last`."""
    report = Report()
    for seed in range(first, last):
        failures, tally = play(story_of(seed, service), to_the_end=to_the_end)
        report.stories += 1
        report.said.update(tally.said)
        report.softer.update(tally.softer)
        report.found += [(seed, failure) for failure in failures]
    return report


def in_processes(
    function: Callable[[*Arguments], Result], calls: Sequence[tuple[*Arguments]], processes: int
) -> Iterator[Result]:
    """Call a function of a module in so many processes, each of which a fresh one follows; yield what comes, in order.

    Not by `ProcessPoolExecutor`: with `max_tasks_per_child` it waits for ever once its processes have ended (CPython
    issue 115634).
    """
    with get_context("spawn").Pool(processes, maxtasksperchild=PIECES_OF_A_PROCESS) as pool:
        waiting = [pool.apply_async(function, call) for call in calls]
        for one in waiting:
            yield one.get()


@dataclass
class Run:
    """A run over many seeds."""

    first: int
    stories: int
    processes: int
    state: Path | None = None
    to_the_end: bool = False
    service: str = "recorded"
    say: Print = print

    def play(self) -> int:
        """Play them; print what is found, in the end each sort's shortest story. Return 0 where nothing was."""
        began = time.monotonic()
        total, sorts = self._restored()
        to_shorten: list[tuple[int, Failure]] = []
        for report in self._reports(self.first + total.stories):
            total.stories += report.stories
            total.said.update(report.said)
            total.softer.update(report.softer)
            for seed, failure in report.found:
                stories = sorts.setdefault(failure.sort, [])
                if not stories:
                    to_shorten.append((seed, failure))
                if seed not in stories:
                    stories.append(seed)
                    self.say(f"story {seed}: {failure}")
            self._save(total, sorts)
        for seed, failure in to_shorten:
            self._shorten(seed, failure)
        self._sum_up(total, sorts, time.monotonic() - began)
        if self.state is not None:
            self.state.unlink(missing_ok=True)
        return 1 if sorts else 0

    def _reports(self, first: int) -> Iterator[Report]:
        last = self.first + self.stories
        pieces = [(one, min(one + PIECE, last), self.to_the_end, self.service) for one in range(first, last, PIECE)]
        if self.processes <= 1:
            for piece in pieces:
                yield play_piece(*piece)
            return
        yield from in_processes(play_piece, pieces, self.processes)

    def _shorten(self, seed: int, failure: Failure) -> None:
        story = shortest(
            story_of(seed, self.service),
            lambda one: any(f.sort == failure.sort for f in play(one, to_the_end=self.to_the_end)[0]),
        )
        self.say(f"story {seed}, at its shortest: {story.to_json()}")
        for found in play(story, watch=lambda line: self.say(f"    {line}"), to_the_end=self.to_the_end)[0]:
            if found.sort == failure.sort:
                self.say(f"    {found}")

    def _restored(self) -> tuple[Report, dict[str, list[int]]]:
        """Return what was kept: the report so far, and in which stories each sort of failure was found."""
        if self.state is None or not self.state.exists():
            return Report(), {}
        kept: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
        if (kept["first"], kept["code"], kept.get("service")) != (self.first, code_digest(), self.service):
            return Report(), {}
        self.say(f"goes on after {kept['stories']} stories")
        return Report(kept["stories"], Counter(kept["said"]), Counter(kept["softer"])), kept["sorts"]

    def _save(self, total: Report, sorts: dict[str, list[int]]) -> None:
        if self.state is None:
            return
        self.state.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "first": self.first,
            "code": code_digest(),
            "service": self.service,
            "stories": total.stories,
            "said": total.said,
            "softer": total.softer,
            "sorts": sorts,
        }
        made = self.state.with_suffix(".new")
        made.write_text(json.dumps(kept), encoding="utf-8")
        made.replace(self.state)

    def _sum_up(self, total: Report, sorts: dict[str, list[int]], seconds: float) -> None:
        said = sum(total.said.values())
        softer = sum(number for verdict, number in total.said.items() if verdict in SOFTER)
        self.say(
            f"{total.stories} stories in {seconds:.0f} s, {self.service} service: {said} statements, "
            + ", ".join(f"{n} {v}" for v, n in total.said.most_common())
            + f"; {100 * softer / max(said, 1):.2f} % softer than true"
        )
        for sort, number in total.softer.most_common():
            self.say(f"  {number:6} {sort}")
        for sort, stories in sorts.items():
            self.say(f"FAILED in {len(stories)} stories: {sort} ({', '.join(map(str, stories))})")


def tell(story: LifeStory) -> int:
    """Tell one story aloud; return 0 where nothing false was found."""
    print(story.to_json())
    failures, tally = play(story, watch=print)
    for failure in failures:
        print(failure)
    print(dict(tally.said))
    return 1 if failures else 0
