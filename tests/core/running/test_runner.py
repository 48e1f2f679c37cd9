"""Runs: isolated, resumed, locked, recorded."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Doubt, OptionError, plugins, total
from cdner_bench.data import benchmark
from cdner_bench.errors import RefusedWarning, ResultError
from cdner_bench.io import lock, write_atomic
from cdner_bench.plugins import Epoch
from cdner_bench.records import (
    BEGUN,
    SCHEMA,
    Status,
    encode_curve,
    find_run,
    locate_curve,
    locate_predictions,
    move_predictions,
    read_curve,
    results,
)
from cdner_bench.running import runner
from cdner_bench.running.standing import Standing, look
from methods import MISDEEDS
from support import ROOT, Nobody, Run, context, take_interrupts

METHODS = ROOT / "tests" / "methods.py"


def jobs(
    method: str = "oracle-of-case",
    targets: Sequence[str] = ("ai",),
    seeds: Sequence[int] = (0,),
    **options: object,
) -> list[runner.Job]:
    mini = benchmark.load("mini")
    registry = plugins.discover([METHODS])
    return runner.plan(mini, mini.list_scenarios("single", targets), [registry.get(method)], "quick", options, seeds)


def run(made: list[runner.Job], out: Path) -> list[runner.Outcome]:
    return list(runner.run(made, out, Nobody()))


def test_a_run_leaves_predictions_a_record_and_a_result(tmp_path: Path) -> None:
    (outcome,) = run(jobs(), tmp_path)
    folder = tmp_path / "runs" / outcome.job.id
    assert {p.name for p in folder.iterdir()} == {"lock", "log.txt", "predictions.jsonl", "run.json", "shared.txt"}
    assert len((folder / "predictions.jsonl").read_text().splitlines()) == 132
    assert outcome.result is not None
    kept = results.load(tmp_path / "leaderboards" / "results" / outcome.result.path)
    assert kept == results.load(folder / "run.json")
    assert [p.name for p in kept.phases] == ["load", "fit", "predict", "score"]
    assert kept.provenance["packages"]["seqeval"]
    assert (kept.seed, kept.scenario.target, kept.benchmark.name) == (0, "ai", "mini")
    assert kept.peak_memory > 1 << 20
    assert kept.device
    assert total(kept.sentences) == total(kept.scores["span-f1"].values())


def test_what_is_finished_is_skipped_and_restored(tmp_path: Path) -> None:
    (first,) = run(jobs(), tmp_path)
    assert first.result is not None
    kept = tmp_path / "leaderboards" / "results" / first.result.path
    before = kept.read_bytes()
    kept.unlink()
    (second,) = run(jobs(), tmp_path)
    assert (first.status, second.status) == ("finished", "skipped")
    assert kept.read_bytes() == before


def test_what_the_board_has_from_elsewhere_is_skipped(tmp_path: Path) -> None:
    """As in a fresh clone, whose results were made on another machine: a campaign goes on from them."""
    (first,) = run(jobs(), tmp_path)
    shutil.rmtree(tmp_path / "runs")
    (again,) = run(jobs(), tmp_path)
    assert (again.status, again.result) == ("skipped", first.result)
    assert again.message == "on the board already, --out FOLDER makes it again elsewhere"
    assert not (tmp_path / "runs").exists()
    (other_seed,) = run(jobs(seeds=[1]), tmp_path)
    assert other_seed.status == "finished"


def test_the_leaderboard_s_file_is_always_the_run_s(tmp_path: Path) -> None:
    """Another version's result in its place, or a "not run" after it, does not stay."""
    (first,) = run(jobs(), tmp_path)
    assert first.result is not None
    kept = tmp_path / "leaderboards" / "results" / first.result.path
    results.save(replace(first.result, run="0123456789abcdef", seed=0), kept)
    run(jobs(), tmp_path)
    assert results.load(kept).run == first.job.id
    not_run = replace(first.result, status=Status.NOT_RUN, scores={}, sentences=(), answers={}, reason="x")
    runner.publish(not_run, tmp_path / "runs" / first.job.id, tmp_path)
    assert results.load(kept).status == "finished"


def test_what_a_newer_version_has_put_on_the_board_keeps_its_predictions(tmp_path: Path) -> None:
    (first,) = run(jobs(), tmp_path)
    assert first.result is not None
    kept = tmp_path / "leaderboards" / "results" / first.result.path
    kept.write_text(kept.read_text().replace(f'"schema": {SCHEMA}', '"schema": 1000'))
    predictions = locate_predictions(tmp_path / "leaderboards", first.result)
    predictions.write_bytes(b"of a newer version")
    (again,) = run(jobs(), tmp_path)
    assert (again.status, again.message) == ("failed", f"{kept} has schema 1000, this version reads up to {SCHEMA}")
    assert predictions.read_bytes() == b"of a newer version"


def test_a_finished_run_is_scored_again_by_today_s_scorer(tmp_path: Path) -> None:
    (first,) = run(jobs(), tmp_path)
    assert first.result is not None
    record = tmp_path / "runs" / first.job.id / "run.json"
    results.save(replace(first.result, scores={"span-f1": first.result.scores["span-f1"]}), record)
    (second,) = run(jobs(), tmp_path)
    assert second.status == "skipped"
    assert results.load(record) == first.result


def test_bad_data_of_one_target_does_not_stop_the_others(tmp_path: Path) -> None:
    for name in ("c1", "c2", "c3"):
        (tmp_path / name).mkdir()
        for split in benchmark.SPLITS:
            (tmp_path / name / f"{split}.txt").write_text("Ada\tB-judge\n")
    (tmp_path / "c2" / "dev.txt").unlink()
    tables = [
        f"[domains.{c}]\n" + "".join(f'{s} = "{c}/{s}.txt"\n' for s in benchmark.SPLITS) for c in ("c1", "c2", "c3")
    ]
    setting = '[settings.single]\nsources = []\ntargets = ["c1", "c2", "c3"]\n'
    (tmp_path / "law.toml").write_text('name = "law"\n' + "".join(tables) + setting)
    law = benchmark.load(str(tmp_path / "law.toml"))
    entry = plugins.discover([METHODS]).get("oracle-of-case")
    made = run(runner.plan(law, law.list_scenarios("single"), [entry], None, {}, [0]), tmp_path)
    assert [o.status for o in made] == ["finished", "failed", "finished"]
    assert "there is no file" in made[1].message


def test_a_method_sees_the_resources_it_asked_for_only(tmp_path: Path) -> None:
    (job,) = jobs()
    assert runner.visible_corpus(job, "ai").resources == {}
    (asking,) = jobs("needs-dapt")
    assert set(runner.visible_corpus(asking, "ai").resources) == {"dapt"}


def test_the_id_follows_the_content_of_a_backbone_folder(tmp_path: Path) -> None:
    from cdner_bench.io import models

    (tmp_path / "model.safetensors").write_text("one")
    before = models.identify(str(tmp_path))
    (tmp_path / "model.safetensors").write_text("two")
    assert models.identify(str(tmp_path)) != before
    assert models.identify("bert-base-cased") == "bert-base-cased"
    assert models.identify("minilm") == models.read_catalogue()["minilm"].weights_sha256


def test_an_id_covers_everything_that_determines_a_run() -> None:
    made = [
        *jobs(),
        *jobs(seeds=[1]),
        *jobs(targets=["music"]),
        *jobs(length=2),
        *jobs("staged"),
    ]
    assert len({job.id for job in made}) == len(made)
    assert jobs()[0].id == jobs()[0].id


def test_the_preset_s_name_is_not_part_of_the_id() -> None:
    mini, registry = benchmark.load("mini"), plugins.discover([METHODS])
    entry, scenarios = registry.get("oracle-of-case"), mini.list_scenarios("single", ["ai"])
    quick = runner.plan(mini, scenarios, [entry], "quick", {"length": 2}, [0])
    cpu = runner.plan(mini, scenarios, [entry], "cpu", {}, [0])
    assert quick[0].id == cpu[0].id


@pytest.mark.parametrize("misdeed", MISDEEDS[1:])
def test_a_failure_is_reported_and_the_rest_goes_on(misdeed: str, tmp_path: Path) -> None:
    bad, good = run(jobs(targets=["ai", "music"], misdeed=misdeed, only="ai"), tmp_path)
    assert (bad.status, good.status) == ("failed", "finished")
    assert bad.failed
    assert bad.message
    assert "oracle-of-case" in bad.message or misdeed in ("raise at fit", "raise at predict", "exits", "full disk")
    assert "Traceback" in (tmp_path / "runs" / bad.job.id / "error.txt").read_text()
    assert not list((tmp_path / "leaderboards").rglob("ai/*.json"))
    again, _ = run(jobs(targets=["ai", "music"], misdeed=misdeed, only="ai"), tmp_path)
    assert again.status == "failed"


def test_failures_say_what_happened(tmp_path: Path) -> None:
    messages = {}
    for misdeed in MISDEEDS[1:]:
        (outcome,) = run(jobs(misdeed=misdeed), tmp_path)
        messages[misdeed] = outcome.message
    who = "method oracle-of-case (plugin methods)"
    assert messages["raise at fit"] == "ValueError: I cannot learn"
    assert messages["too few"] == f"{who} yields 5 predictions for 132 sentences"
    assert messages["too many"] == f"{who} yields more than the 132 predictions asked for"
    assert messages["wrong id"] == f"{who} answers elsewhere where ai/test/5 was next"
    assert messages["unknown type"] == f"{who}: 'planet' is no type of the target"
    assert messages["not a prediction"] == f"{who} yields tuple instead of a Prediction"
    assert messages["returns nothing"] == f"{who}: predict returns NoneType; it yields predictions"
    assert messages["exits"] == "SystemExit: 0"
    assert messages["full disk"].startswith(f"cannot write in {tmp_path / 'runs'}")
    assert messages["full disk"].endswith(": No space left on device")
    assert "ai/test/5 has" in messages["out of range"]


def test_what_only_the_user_can_provide_is_recorded_as_not_run(tmp_path: Path) -> None:
    lacking, having = run([*jobs("needs-keys"), *jobs("needs-dapt")], tmp_path)
    assert (lacking.status, having.status) == ("not-run", "finished")
    assert "needs the keys corpus of ai" in lacking.message
    assert look(tmp_path).runs == {lacking.job.id: Standing.NOT_RUN, having.job.id: Standing.FINISHED}
    assert lacking.result is not None
    kept = results.load(tmp_path / "leaderboards" / "results" / lacking.result.path)
    assert (kept.status, kept.scores) == ("not-run", {})


def test_two_processes_never_work_on_the_same_run(tmp_path: Path) -> None:
    (job,) = jobs()
    folder = tmp_path / "runs" / job.id
    folder.mkdir(parents=True)
    with (folder / "lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        (outcome,) = run([job], tmp_path)
    assert outcome.status == "busy"
    assert not outcome.failed
    (outcome,) = run([job], tmp_path)
    assert outcome.status == "finished"


def test_shared_stages_are_built_once_and_private_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGED_LOG", str(tmp_path / "log"))
    made = run(jobs("staged", targets=["ai", "music"], seeds=[0, 1]), tmp_path)
    assert sorted((tmp_path / "log").read_text().split()) == sorted(["source"] * 2 + ["ai", "music"] * 2)
    assert not list((tmp_path / "runs").glob("*/stages"))
    reused = [[p.reused for p in o.result.phases if p.name == "source"] for o in made if o.result]
    assert sorted(reused) == [[False], [False], [True], [True]]
    assert all(p.seconds > 0 for o in made if o.result for p in o.result.phases if p.name == "source")


def test_a_stage_that_is_not_what_its_name_says_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGED_LOG", str(tmp_path / "log"))
    run(jobs("staged"), tmp_path)
    (record,) = (tmp_path / "runs" / "shared").glob("source-*/stage.json")
    content = json.loads(record.read_text())
    content["identity"]["seed"] = 7
    record.write_text(json.dumps(content))
    (outcome,) = run(jobs("staged", targets=["music"]), tmp_path)
    assert outcome.status == "failed"
    assert "it was made for another key" in outcome.message
    assert "rm -r" in (outcome.hint or "")


def test_an_interrupted_stage_is_found_again_and_another_one_s_is_not(tmp_path: Path) -> None:
    found: list[list[str]] = []

    def build(place: Path) -> None:
        found.append(sorted(p.name for p in place.iterdir()))
        (place / "checkpoint").touch()
        if len(found) in (1, 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        context(tmp_path).stage("s", build, {"a": 1})
    place = context(tmp_path).stage("s", build, {"a": 1})
    assert found == [["stage.json"], ["checkpoint", "stage.json"]]
    with pytest.raises(KeyboardInterrupt):
        context(tmp_path).stage("s", build, {"a": 2})
    (draft,) = (tmp_path / "shared").glob("*.draft")
    record = json.loads((draft / "stage.json").read_text())
    record["identity"]["seed"] = 9
    (draft / "stage.json").write_text(json.dumps(record))
    context(tmp_path).stage("s", build, {"a": 2})
    assert found[3] == ["stage.json"]
    assert json.loads((place / "stage.json").read_text())["phases"] == []


def test_files_that_options_name_belong_to_the_id(tmp_path: Path) -> None:
    file = tmp_path / "g.json"
    file.write_text("[]")
    registry = plugins.discover()
    mini = benchmark.load("mini")
    scenarios = mini.list_scenarios("single", ["ai"])

    def job() -> runner.Job:
        return runner.plan(mini, scenarios, [registry.get("topt")], "quick", {"gtok": str(file)}, [0])[0]

    first, again = job().id, job().id
    assert first == again
    file.write_text("[ ]")
    assert job().id != first
    with pytest.raises(OptionError, match=r"option gtok=.*none\.json: path does not point to a file"):
        runner.plan(mini, scenarios, [registry.get("topt")], "quick", {"gtok": str(tmp_path / "none.json")}, [0])


# --- killed ----------------------------------------------------------------------------------------------------------

TIMINGS = ("phases", "peak_memory", "provenance")


def comparable(out: Path) -> dict[str, object]:
    """Result files without what time and memory put into them."""
    records: dict[str, object] = {}
    for path in sorted((out / "leaderboards").rglob("*.json")):
        record = json.loads(path.read_text())
        records[path.name + path.parent.name] = {k: v for k, v in record.items() if k not in TIMINGS}
    return records


def start(out: Path, log: Path, *options: str, pause: float = 0) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "cdner_bench",
        "run",
        "--method",
        "staged",
        "--setting",
        "single",
        "--benchmark",
        "mini",
    ]
    command += ["--target", "ai,music,politics", "--plugin", str(METHODS), "--out", str(out), *options]
    return subprocess.Popen(
        command,
        env={**os.environ, "STAGED_LOG": str(log), "STAGED_PAUSE": str(pause)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509
    )


def complete(out: Path, log: Path, *options: str) -> None:
    process = start(out, log, *options)
    said = process.communicate(timeout=300)
    assert process.returncode == 0, said


@pytest.mark.slow
def test_killed_at_20_random_moments_it_ends_in_the_same_results(tmp_path: Path) -> None:
    complete(tmp_path / "calm", tmp_path / "calm.log", "--seeds", "2")
    rng = random.Random(20)
    kills = 0
    for _ in range(20):
        process = start(tmp_path / "killed", tmp_path / "killed.log", "--seeds", "2", pause=0.15)
        time.sleep(rng.uniform(0.2, 1.2))
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills >= 10
    complete(tmp_path / "killed", tmp_path / "killed.log", "--seeds", "2")
    assert comparable(tmp_path / "killed") == comparable(tmp_path / "calm")
    assert sorted((tmp_path / "killed.log").read_text().split()) == sorted((tmp_path / "calm.log").read_text().split())


STOPPED = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated (SIGTERM)"),
    signal.SIGHUP: (129, "the terminal has gone (SIGHUP)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
@pytest.mark.parametrize("number", STOPPED)
def test_a_signal_leaves_a_resumable_state_and_that_is_said(
    tmp_path: Path, number: signal.Signals, isolate: str
) -> None:
    process = start(tmp_path / "out", tmp_path / "log", isolate, pause=0.3)
    while not list((tmp_path / "out").glob("runs/*/predictions.jsonl")):
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=300)
    status, how = STOPPED[number]
    assert process.returncode == status
    hint = "  → type the same command to go on; what was finished is kept"
    assert said.splitlines() == [f"cdner-bench: {how}", hint]
    assert not (tmp_path / "out" / "leaderboards").exists()
    complete(tmp_path / "out", tmp_path / "log")
    assert (tmp_path / "log").read_text().split() == ["source", "ai", "music", "politics"]


@pytest.mark.slow
def test_the_process_of_a_run_ends_with_the_one_that_asked_for_it(tmp_path: Path) -> None:
    process = start(tmp_path / "out", tmp_path / "log", "--isolate", pause=0.3)
    while not (kept := list((tmp_path / "out").glob("runs/*/predictions.jsonl"))):
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.communicate()
    with lock(kept[0].parent / "lock", wait=True):  # it is given back
        size = kept[0].stat().st_size
        time.sleep(0.5)
        assert kept[0].stat().st_size == size


def test_a_run_that_is_made_elsewhere_is_no_failure(tmp_path: Path, typed: Run) -> None:
    arguments = ["--setting", "single", "--benchmark", "mini", "--plugin", METHODS, "--target", "ai,music"]
    with lock(tmp_path / "runs" / jobs()[0].id / "lock"):
        done = typed("run", "--method", "oracle-of-case", *arguments)
    assert done.returncode == 0
    assert "1 of 2 runs are being made by another process; type the same command when it has ended" in done.stdout
    assert "failed" not in done.stdout


def test_the_exit_status_counts_failures(cli: Run) -> None:
    common = [
        "run",
        "--method",
        "oracle-of-case",
        "--setting",
        "single",
        "--benchmark",
        "mini",
        "--plugin",
        METHODS,
    ]
    done = cli(*common, "-o", "misdeed=too few", "--target", "ai,music,politics")
    assert done.returncode == 3
    assert "3 of 3 runs failed" in done.stdout
    assert cli(*common, "-o", "misdeed=too few", "-o", "only=ai").returncode == 1
    assert cli(*common).returncode == 0


@pytest.mark.parametrize(
    ("how", "doubts"),
    [
        ("silent", [Doubt.NOTHING_SAID]),
        ("stuck", [Doubt.ALL_ALIKE]),
        ("lost", [Doubt.NOTHING_PLACED, Doubt.ALL_ALIKE]),
        ("not finite", [Doubt.NOT_FINITE]),
        ("told", [Doubt.NO_STEP]),
        ("short-sighted", []),
    ],
)
def test_what_fails_without_an_error_is_flagged(how: str, doubts: list[Doubt], tmp_path: Path) -> None:
    (outcome,) = run(jobs("failing", how=how), tmp_path)
    assert (outcome.status, outcome.doubts) == ("finished", doubts)
    assert outcome.result is not None
    kept = results.load(tmp_path / "leaderboards" / "results" / outcome.result.path)
    assert kept.doubts == doubts
    assert bool(kept.answers.get("unseen tokens")) == (how == "short-sighted")
    record = tmp_path / "runs" / outcome.job.id / "run.json"
    results.save(replace(kept, scores={"span-f1": kept.scores["span-f1"]}, answers={}), record)
    (again,) = run(jobs("failing", how=how), tmp_path)
    assert again.result == kept  # those of training stay, those of predictions are found again


def test_doubts_and_what_was_not_seen_stand_in_the_summary(tmp_path: Path, typed: Run) -> None:
    arguments = ("--setting", "single", "--benchmark", "mini", "--target", "ai", "--plugin", METHODS, "--out", tmp_path)
    done = typed("run", "--method", "failing", *arguments)
    assert "F1 0.00, doubtful: nothing was predicted" in done.stdout
    assert "0.00 (a)" in done.stdout
    assert "(a) nothing was predicted." in done.stdout
    assert "1 of 1 runs have a score to be doubted" in done.stdout
    done = typed("run", "--method", "failing", "-o", "how=short-sighted", *arguments)
    assert ", not seen: the ends of 132 sentences, " in done.stdout


def test_a_file_without_blank_lines_is_told(tmp_path: Path) -> None:
    law = tmp_path / "law.toml"
    law.write_text(
        'name = "law"\n[domains.c]\n'
        + "".join(f'{split} = "{split}.txt"\n' for split in benchmark.SPLITS)
        + '[settings.single]\nsources = []\ntargets = ["c"]\n'
    )
    for split, size in zip(benchmark.SPLITS, (300, 301, 5000), strict=True):
        (tmp_path / f"{split}.txt").write_text("Ada\tB-judge\n" * size)
    data, notes = benchmark.load(str(law)), []

    class Noting(Nobody):
        def note(self, text: str) -> None:
            notes.append(text)

    entry = plugins.discover([METHODS]).get("oracle-of-case")
    list(runner.run(runner.plan(data, data.list_scenarios("single"), [entry], None, {}, [0]), tmp_path, Noting()))
    assert notes == [
        f"c {split}: 1 of 1 sentences have more than 300 tokens, the longest {size}: blank lines between sentences may "
        "be missing"
        for split, size in (("dev", "301"), ("test", "5,000"))
    ]


def test_a_run_says_what_it_is_before_it_is_finished(tmp_path: Path) -> None:
    (outcome,) = run(jobs(misdeed="raise at predict"), tmp_path)
    folder = tmp_path / "runs" / outcome.job.id
    found = find_run("oracle-of-case/ai/0", tmp_path)
    assert (found.file, found.result.run, found.result.reason) == (
        folder / BEGUN,
        outcome.job.id,
        "it was not finished",
    )
    with pytest.raises(ResultError, match="is incomplete: it was not finished"):
        assert found.predictions
    assert find_run(str(folder), tmp_path) == find_run(outcome.job.id[:7], tmp_path) == found
    with pytest.raises(ResultError, match="there is no run"):
        find_run("oracle-of-case/ai/0", tmp_path, benchmark="crossner")
    (folder / BEGUN).write_text("{}")
    with pytest.warns(RefusedWarning, match="it has no schema"), pytest.raises(ResultError, match="there is no run"):
        find_run("oracle-of-case/ai/0", tmp_path)


def test_a_learning_curve_stands_beside_predictions(tmp_path: Path) -> None:
    (outcome,) = run(jobs("failing"), tmp_path)
    found = find_run(outcome.job.id, tmp_path)
    before = found.result
    assert found.curve == found.folder / "curve.jsonl"
    shutil.rmtree(found.folder)
    assert found.curve is not None
    assert found.curve.parent == found.predictions.parent
    assert read_curve(found.curve) == [Epoch("fit", 1, {"loss": 0.5, "dev_f1": 12.5})]
    newer = replace(before, run="0" * 16)
    runner.publish(newer, tmp_path / "nowhere", tmp_path)
    assert not locate_curve(tmp_path / "leaderboards", before).exists()  # it was another run's
    write_atomic(locate_curve(tmp_path / "leaderboards", before), encode_curve([Epoch("fit", 1, {})]))
    today = replace(before, method=replace(before.method, options={}))
    move_predictions(tmp_path / "leaderboards", before, today)
    assert locate_curve(tmp_path / "leaderboards", today).is_file()
    assert not locate_curve(tmp_path / "leaderboards", before).exists()
