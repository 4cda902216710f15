"""`python -m truth`: play stories, as many as it takes.

python -m truth --stories 2000            seeds 0 to 1999, on all cores
python -m truth --stories 100000          goes on where it was interrupted (--state)
python -m truth --seed 4711               one story, told aloud
python -m truth --payment-service         the same lives with this repository's payment service as the Payment MS
python -m truth --example FILE            a story that was written down
python -m truth --mutants                 every seeded mutant, until the oracle finds it
"""

import argparse
import sys
from pathlib import Path

from truth.running import Run, tell
from truth.story import LifeStory, story_of


def main() -> int:
    """Return 0 where nothing false was found."""
    parser = argparse.ArgumentParser(prog="python -m truth", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--stories", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--state", type=Path, help="a file that remembers how far a long run has come")
    parser.add_argument("--to-the-end", action="store_true", help="go on after a failure, in the story and after it")
    parser.add_argument("--seed", type=int, help="tell the story of one seed")
    parser.add_argument("--example", type=Path, help="tell a story that was written down")
    parser.add_argument("--payment-service", action="store_true", help="with payment_service as the Payment MS")
    parser.add_argument("--mutants", action="store_true", help="let the oracle find every seeded mutant")
    given = parser.parse_args()
    service = "own" if given.payment_service else "recorded"
    if given.seed is not None:
        return tell(story_of(given.seed, service))
    if given.example is not None:
        return tell(LifeStory.from_json(given.example.read_text(encoding="utf-8")))
    if given.mutants:
        from truth.mutation_run import find_all

        return find_all(given.stories, given.processes)
    run = Run(given.first, given.stories, given.processes, given.state, to_the_end=given.to_the_end, service=service)
    return run.play()


if __name__ == "__main__":
    sys.exit(main())
