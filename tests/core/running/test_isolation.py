"""A method cannot harm another's result: whatever it does, the next one comes out exactly as it does alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdner_bench import CdnerError, plugins
from cdner_bench.data import benchmark, own
from cdner_bench.records import results
from cdner_bench.running import Job, Outcome, Workers, process, runner
from support import ROOT, Nobody, take_interrupts
from villains import MISDEEDS

VILLAINS = ROOT / "tests" / "villains.py"
ALONE = list(MISDEEDS)[list(MISDEEDS).index("abort") :]
"""Misdeeds that end or fill the process they are done in: only another process withstands them."""
FAILED = {
    "base exception": "BaseException: I am no exception",
    "generator exit": "GeneratorExit",
    "interrupt": "KeyboardInterrupt",
    "hostile": "Hostile",
    "surrogate": "ValueError: a lone \ud800",
    "sys.exit": "SystemExit: 0",
    "os._exit": "SystemExit: os._exit(3)",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "endless": "method villain (plugin villains) yields more than the 132 predictions asked for",
    "own folder": "No such file or directory: ",
    "abort": "the process of the run was ended by SIGABRT; it held ",
    "kill": "the process of the run was ended by SIGKILL, perhaps for want of memory; it held ",
    "segfault": "the process of the run was ended by SIGSEGV; it held ",
    "exit of C": "the process of the run ended with exit status 3",
}
"""What is said of the misdeeds that end a run; other runs are finished."""
UNSURE = ("json", "builtins", "classes", "all descriptors", "kill group")
"""Misdeeds that may end the run of whoever does them, or not."""


def plan(misdeed: str, methods: tuple[str, ...] = ("villain", "victim")) -> list[Job]:
    mini, registry = benchmark.load("mini"), plugins.discover([VILLAINS])
    entries = [registry.get(name) for name in methods]
    return runner.plan(mini, mini.list_scenarios("single", ["ai"]), entries, None, {"misdeed": misdeed}, [0])


def read(outcome: Outcome, out: Path) -> tuple[object, ...]:
    """Everything about a finished run but its times, memory and options."""
    assert outcome.result is not None, outcome
    kept = results.load(out / "leaderboards" / "results" / outcome.result.path)
    assert kept == results.load(out / "runs" / outcome.job.id / "run.json") == outcome.result
    predictions = (out / "runs" / outcome.job.id / "predictions.jsonl").read_bytes()
    return kept.status, kept.scores, kept.sentences, kept.model, kept.doubts, kept.answers, predictions


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """What the victim makes when nobody was there before it."""
    out = tmp_path_factory.mktemp("alone")
    (outcome,) = runner.run(plan("none", ("victim",)), out, Nobody())
    return read(outcome, out)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers([VILLAINS]) as made:
        yield made


class Listening(Nobody):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.phases: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def phase(self, name: str) -> None:
        self.phases.append(name)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def check(misdeed: str, made: tuple[Outcome, Outcome], alone: tuple[object, ...], out: Path) -> None:
    villain, victim = made
    assert victim.status == "finished"
    assert read(victim, out) == alone
    if said := FAILED.get(misdeed):
        assert (villain.status, villain.message[: len(said)]) == ("failed", said)
    elif misdeed not in UNSURE:
        assert (villain.status, villain.f1) == ("finished", victim.f1)
    if villain.hint:
        words, _, place = villain.hint.rpartition(" is in ")
        assert words in ("the traceback", "what it said last")
        assert Path(place).stat().st_size


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_in_a_process_of_its_own_nothing_is_harmed(
    misdeed: str, workers: Workers, alone: tuple[object, ...], tmp_path: Path
) -> None:
    made, observer = plan(misdeed), Listening()
    (tmp_path / "next").write_text(made[1].id)
    villain, victim = runner.run(made, tmp_path, observer, workers.make)
    check(misdeed, (villain, victim), alone, tmp_path)
    assert observer.phases[-4:] == ["load", "fit", "predict", "score"]
    assert observer.notes[0].startswith('["')
    assert observer.notes[0] == observer.notes[-1]
    if misdeed.startswith("fork") and misdeed != "fork returns":
        assert "1 process was left behind by the run, and ended" in observer.notes
        assert not is_running(int((tmp_path / "left").read_text()))


IN_ONE_PROCESS = """
import json, sys
from pathlib import Path
from cdner_bench.io import stoppable
from cdner_bench.running import runner
from support import Nobody
from test_isolation import ALONE, MISDEEDS, check, plan, read
out = Path(sys.argv[1])
with stoppable():
    (outcome,) = runner.run(plan("none", ("victim",)), out / "alone", Nobody())
    alone = read(outcome, out / "alone")
    for misdeed in MISDEEDS:
        if misdeed not in ALONE:
            made, place = plan(misdeed), out / misdeed
            place.mkdir()
            (place / "next").write_text(made[1].id)
            check(misdeed, tuple(runner.run(made, Path(place), Nobody())), alone, place)
            (out / "well").open("a").write(f"{misdeed}\\n")
"""


def test_in_one_process_what_can_be_put_back_is(tmp_path: Path) -> None:
    """One misdeed after the other, and after each the victim, in the same process."""
    paths = [str(ROOT / "tests"), str(Path(__file__).parent), os.environ.get("PYTHONPATH")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-c", IN_ONE_PROCESS, str(tmp_path)]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        preexec_fn=take_interrupts,
    )
    withstood = (tmp_path / "well").read_text().splitlines()
    assert withstood == [misdeed for misdeed in MISDEEDS if misdeed not in ALONE], done.stderr


def test_a_job_is_data_that_any_process_can_make(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for split in benchmark.SPLITS:
        (folder / f"{split}.txt").write_text("Ada\tB-judge\n")
    mini, registry = benchmark.load("mini"), plugins.discover()
    crossing = own.build_on(mini, folder, ["news", "ai"])
    every = [registry.get(name) for name in ("bert-tagger", "gpt4")]
    made = [
        *runner.plan(mini, mini.list_scenarios("multi", ["ai"]), every, "quick", {}, [7]),
        *runner.plan(crossing, crossing.list_scenarios("multi"), every, "quick", {}, [1]),
    ]
    for job in made:
        data = json.loads(json.dumps(process.describe(job, tmp_path)))
        again = process.restore(data, process.discover(data))
        assert (again.id, again.options, again.preset, str(again)) == (job.id, job.options, job.preset, str(job))
    data["seed"] += 1
    with pytest.raises(CdnerError, match="the run is another"):
        process.restore(data, registry)
