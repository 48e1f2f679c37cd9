"""How long result files take to load: `python perf/records.py 1000` makes and reads so many."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cdner_bench import Counts
from cdner_bench.records import results
from cdner_bench.scoring import HEADLINE, PROTOCOLS, total

SENTENCES = 400


def main(count: int) -> None:
    """Print the seconds of the processor that loading takes."""
    rng = random.Random(0)
    committed = Path(__file__).resolve().parents[1] / "leaderboards" / "results"
    model = next(r for r in results.load_all(committed) if r.finished and r.usage)
    types = [kind for kind in model.scores[HEADLINE] if kind != "?"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(count):
            sentences = [Counts(rng.randrange(4), rng.randrange(4), rng.randrange(4)) for _ in range(SENTENCES)]
            rest = total(sentences)
            per_type = {kind: Counts() for kind in types[1:]} | {types[0]: rest}
            assert model.comparable
            sizes = (*model.comparable.sentences[:2], SENTENCES)
            made = replace(
                model,
                run=f"{seed:016x}",
                seed=seed,
                scores=dict.fromkeys(PROTOCOLS, per_type),
                sentences=sentences,
                answers={},
                repeated={},
                by_train={},
                comparable=replace(model.comparable, sentences=sizes, data="0"),
            )
            results.save(made, folder / made.path)
        begun = time.process_time()
        found = results.load_all(folder)
        spent = time.process_time() - begun
        assert len(found) == count  # what is refused is read in part only
        print(f"{len(found):,} results of {SENTENCES} sentences: {spent:.2f} s, {1000 * spent / count:.2f} ms each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
