"""One process of a mutant: `examples` plays what failed once, `until FIRST LAST` seeds until one fails, `seed N` one.
Prints JSON.

The mutant is installed before anything of the app is imported.
"""

import json
import sys

from truth.mutants import MUTANTS
from truth.mutation import ROOT, install, named_in_environment


def main() -> None:
    """See the module."""
    name = named_in_environment()
    if name:
        install(next(mutant for mutant in MUTANTS if mutant.name == name))
    from truth.life import play
    from truth.story import LifeStory, story_of

    if sys.argv[1] == "examples":
        for path in sorted((ROOT / "truth" / "examples").glob("*.json")):
            failures, _tally = play(LifeStory.from_json(path.read_text(encoding="utf-8")))
            if failures:
                print(json.dumps([[path.stem, failures[0].sort, failures[0].text]]))
                return
        print("[]")
        return
    if sys.argv[1] == "seed":
        failures, _tally = play(story_of(int(sys.argv[2])), to_the_end=True)
        print(json.dumps([[str(failure.step), failure.sort, failure.text] for failure in failures]))
        return
    for seed in range(int(sys.argv[2]), int(sys.argv[3])):
        failures, _tally = play(story_of(seed))
        if failures:
            print(json.dumps([[str(seed), failures[0].sort, failures[0].text]]))
            return
    print("[]")


if __name__ == "__main__":
    main()
