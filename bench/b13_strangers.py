"""What a stranger's view of `/pricing` costs: a finished document, against the same page drawn for each view."""

from pathlib import Path

from bench.results import Figure, against, at_most
from bench.views import COMPRESSED, Viewer
from bench.world import our_world

ROUNDS = 5
VIEWS = 400
LIVE_VIEWS = 20
KEPT_VIEWS = 20_000


def run(folder: Path) -> list[Figure]:
    """View the page as a stranger does, in turns with the same page where documents are off; then very often."""
    off = {"SHARED_DOCUMENTS": "false"}
    with our_world(folder / "documents") as world, our_world(folder / "live", app=off) as live:
        ours, theirs = Viewer(world.url, [world.process]), Viewer(live.url, [live.process])
        has_it = {**COMPRESSED, "If-None-Match": ours.view("/pricing").headers["etag"]}
        drawn, kept, unchanged = [], [], []
        for _round in range(ROUNDS + 1):
            drawn.append(theirs.milliseconds("/pricing", LIVE_VIEWS))
            kept.append(ours.milliseconds("/pricing", VIEWS))
            unchanged.append(ours.milliseconds("/pricing", VIEWS, has_it))
        size = ours.view("/pricing", has_it).size
        before = world.process.memory_info().rss
        for _view in range(KEPT_VIEWS):
            ours.view("/pricing")
        grown = (world.process.memory_info().rss - before) / 1e6
    ours.close()
    theirs.close()
    note = "reference: drawn for each view"
    view = against(13, "processor time of a stranger's /pricing", kept[1:], drawn[1:], "ms", note)
    same = against(13, "processor time of a 304", unchanged[1:], drawn[1:], "ms", note)
    return [
        at_most(view, 1 / 30, of="ratio"),
        at_most(same, 0.5),
        at_most(Figure(13, "a 304, with its headers", size, "bytes"), 400),
        at_most(Figure(13, "memory kept after 20,000 strangers' views", round(grown, 2), "MB"), 5),
    ]
