"""`score` for who has predictions and wants numbers to publish: what to cite, each error, types, a row on a board."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Sentence, conll, text2text, total
from cdner_bench.cli import main
from cdner_bench.data import Benchmark
from cdner_bench.records import results
from cdner_bench.scoring import PROTOCOLS

Score = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Score:
    """What `cdner-bench` says in an empty folder, on both streams; it must end well unless `status` says otherwise."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, status: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        assert ended.value.code == status, said.err
        return said.out + said.err

    return run


def spans(sentences: tuple[Sentence, ...], **renamed: str) -> list[dict[str, Any]]:
    """Gold as somebody's predictions, some types called otherwise."""
    return [
        {"id": s.id, "entities": [[e.start, e.end, renamed.get(e.type, e.type)] for e in s.entities]} for s in sentences
    ]


def write(path: str, records: list[dict[str, Any]]) -> str:
    Path(path).write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def cited(said: str) -> str:
    (found,) = re.findall(r"^to cite: (.*)$", said, re.MULTILINE)
    return str(found)


def test_what_to_cite(run: Score, mini: Benchmark) -> None:
    test = mini.corpus("ai").test
    size = f"{len(test)} sentences, {sum(len(s.entities) for s in test)} entities"
    spans_file = write("p.jsonl", spans(test))
    whole = r"100\.00 \(precision 100\.00, recall 100\.00\)"
    head = f"Strict span micro-F1 {whole}, protocol span-f1 of cdner-bench [^ ]+, on "
    said = cited(run("score", spans_file, "--benchmark", "mini"))
    assert re.fullmatch(f"{head}mini, the shipped sample \\(benchmark mini version 2\\); ai/test: {size}\\.", said)
    conll.write(Path("gold.bio"), test)
    digest = hashlib.sha256(Path("gold.bio").read_bytes()).hexdigest()[:12]
    said = cited(run("score", "gold.bio", "--gold", "gold.bio"))
    assert re.fullmatch(f"{head}gold\\.bio \\(SHA-256 {digest}\\); {size}\\.", said)
    said = cited(run("score", spans_file, "--benchmark", "mini", "--ignore-type", "misc,task"))
    assert said.endswith("; types left out: misc, task.")
    kept = sum(e.type not in ("misc", "task") for s in test for e in s.entities)
    assert f"{len(test)} sentences, {kept} entities" in said
    data = json.loads(run("score", spans_file, "--benchmark", "mini", "--json"))
    assert re.match(head, data["cite"])


def test_a_type_of_another_name_is_told_and_mapped(run: Score, mini: Benchmark) -> None:
    test = mini.corpus("ai").test
    number = sum(e.type == "task" for s in test for e in s.entities)
    assert number
    ids = write("ids.jsonl", spans(test, task="Task", person="PER"))
    conll.write(Path("tags.bio"), [Sentence(s.id, s.tokens, s.entities) for s in test])
    tags = Path("tags.bio").read_text(encoding="utf-8")
    Path("tags.bio").write_text(tags.replace("-task", "-Task").replace("-person", "-PER"), encoding="utf-8")
    raw = [{"id": s.id, "raw": text2text.answer(s).replace("(task,", "(tasks,")} for s in test]
    for words, option in (
        ([ids], "Task=task,PER=person"),
        (["tags.bio", "--target", "ai"], "Task=task,PER=person"),
        ([write("raw.jsonl", raw)], "tasks=task"),
    ):
        said = run("score", *words, "--benchmark", "mini")
        (typed,) = re.findall(r"if .* was meant, add (--map [\w=,]+)$", said, re.MULTILINE)
        assert sorted(typed.removeprefix("--map ").split(",")) == sorted(option.split(","))
        assert said.index("was meant") > said.index("wrong"), "what to do stands where the output ends"
        mapped = cited(run("score", *words, "--benchmark", "mini", "--map", option))
        assert mapped.startswith("Strict span micro-F1 100.00")
        old, new = option.split(",")[0].split("=")
        assert f"types renamed: {old} to {new}" in mapped


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--map", "Tsk=task"], "nothing is predicted of the type 'Tsk'", "did you mean 'Task'?"),
        (["--map", "Task=tsk"], "there is no type 'tsk'", "did you mean 'task'?"),
        (["--map", "Task"], "'Task' does not say which type", "write --map OLD=NEW"),
        (["--map", "Task=task", "--map", "Task=misc"], "'Task' is read as 'task' and as 'misc'", "leave one out"),
        (["--errors", "e.txt"], "e.txt ends neither in .jsonl nor in .csv", "name it errors.csv"),
        (["--errors", "p.jsonl"], "p.jsonl is the file that is read", "--errors errors.csv"),
        (["--as", "theirs"], "ai may be of the settings single, multi, demo", "--setting single"),
        (["--as", "Theirs", "--setting", "multi"], "a row cannot be called 'Theirs'", "a name has"),
        (["--as", "gazetteer", "--setting", "multi"], "'gazetteer' is the name of a method", "--as gazetteer-theirs"),
        (["--as", "theirs", "--setting", "mlti"], "mini has no setting 'mlti'", "did you mean 'multi'?"),
        (["--as", "theirs", "--types", "task"], "--as is for all types", "leave out"),
        (["--types", "task", "--ignore-type", "task"], "leave no type to score", "leave one of them out"),
        (["--setting", "multi"], "--setting says on which board", "add --as NAME"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_and_nothing_written(
    run: Score, mini: Benchmark, words: list[str], message: str, hint: str
) -> None:
    before = write("p.jsonl", spans(mini.corpus("ai").test, task="Task"))
    content = Path(before).read_bytes()
    said = run("score", "p.jsonl", "--benchmark", "mini", *words, status=1)
    assert message in said
    assert hint in said
    assert "Strict span micro-F1" not in said
    assert [path.name for path in Path().iterdir()] == ["p.jsonl"]
    assert Path(before).read_bytes() == content


def test_another_split_and_a_missing_sentence_make_no_row(run: Score, mini: Benchmark) -> None:
    corpus = mini.corpus("ai")
    dev, part = write("dev.jsonl", spans(corpus.dev)), write("part.jsonl", spans(corpus.test)[1:])
    for name, message in ((dev, "the predictions are for ai/dev"), (part, "1 sentences have no prediction")):
        said = run("score", name, "--benchmark", "mini", "--as", "theirs", "--setting", "multi", status=1)
        assert message in said
    assert not Path("leaderboards").exists()


def read_errors(name: str) -> Iterator[tuple[str, ...]]:
    """Id, text, class, gold and predicted span and type and words of each error in a file."""
    if name.lower().endswith(".csv"):
        with Path(name).open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        assert header[:4] == ["id", "text", "error", "gold_start"]
        yield from map(tuple, rows)
        return
    for line in Path(name).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        sides = [record[side] or {} for side in ("gold", "predicted")]
        values = [side.get(part) for side in sides for part in ("start", "end", "type", "text")]
        yield tuple("" if v is None else str(v) for v in (record["id"], record["text"], record["error"], *values))


@pytest.mark.parametrize("name", ["e.jsonl", "e.csv", "E.CSV"])
def test_errors_as_a_file(run: Score, name: str) -> None:
    gold = Sentence("x", ("=1+1", "met", "Ada", "Lovelace", "in", "Rome"))
    tags = {"gold": "B-person O B-person I-person O B-place", "p": "B-place O B-person O B-person O"}
    for file, said in tags.items():
        lines = [f"{token}\t{tag}" for token, tag in zip(gold.tokens, said.split(), strict=True)]
        Path(f"{file}.bio").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run("score", "p.bio", "--gold", "gold.bio", "--errors", name)
    quote = "'" if name.lower().endswith(".csv") else ""
    text = f"{quote}{gold.text}"
    assert list(read_errors(name)) == [
        ("gold/0", text, "wrong type", "0", "1", "person", f"{quote}=1+1", "0", "1", "place", f"{quote}=1+1"),
        ("gold/0", text, "wrong boundary", "2", "4", "person", "Ada Lovelace", "2", "3", "person", "Ada"),
        ("gold/0", text, "missed", "5", "6", "place", "Rome", "", "", "", ""),
        ("gold/0", text, "spurious", "", "", "", "", "4", "5", "person", "in"),
    ]
    data = json.loads(run("score", "p.bio", "--gold", "gold.bio", "--json"))
    assert data["confusion"] == {
        "person": {"person": 1, "place": 1},
        "place": {"(missed)": 1},
        "(spurious)": {"person": 1},
    }
    assert {kind: sum(errors.values()) for kind, errors in data["errors_per_type"].items()} == {"person": 3, "place": 1}
    assert data["averages"]["macro"]["f1"] == 0


def test_tables_fit_a_terminal(run: Score, mini: Benchmark) -> None:
    """The label set of fourteen types is shown by number, another by name, and what does not fit is said."""
    wrong = [{**r, "entities": [[*e[:2], "misc"] for e in r["entities"]]} for r in spans(mini.corpus("ai").test)]
    said = run("score", write("p.jsonl", wrong), "--benchmark", "mini")
    table = said[said.index("Errors by gold") : said.index("to cite")]
    assert re.search(r"^ *gold . predicted +misc *$", table, re.MULTILINE)
    shown = [line for line in said.splitlines() if not line.startswith(("note", "to cite", "predictions"))]
    assert max(map(len, map(str.rstrip, shown))) <= 80


def test_a_row_on_a_board(run: Score, mini: Benchmark) -> None:
    """Predictions of two domains, one with types that it has not: on the board, kept, checked and scored again."""
    records = [*spans(mini.corpus("ai").test, task="Task"), *spans(mini.corpus("music").test)]
    twice = [0, 1, "Task"]
    records[0]["entities"] = [e for e in records[0]["entities"] if e[0] > 1] + [twice, [1, 2, "Task"]]
    said = run("score", write("p.jsonl", records), "--benchmark", "mini", "--as", "their-system", "--setting", "multi")
    files = sorted(Path().glob("leaderboards/results/mini/multi/*/their-system-*-0.json"))
    assert [path.parent.name for path in files] == ["ai", "music"]
    assert all(f"wrote {path}" in said for path in files)
    ai, music = (results.load(path) for path in files)
    alone = json.loads(run("score", "p.jsonl", "--benchmark", "mini", "--json"))["protocols"]["span-f1"]
    both = total(counts for result in (ai, music) for counts in result.scores["span-f1"].values())
    assert (both.tp, both.fp, both.fn) == (alone["tp"], alone["fp"], alone["fn"])
    assert set(ai.scores) == set(PROTOCOLS)
    notes = [line for line in said.splitlines() if "'Task'" in line]
    assert len(notes) == 1, "music has no such type"
    assert re.fullmatch(r"note: ai/test: .*; if 'task' was meant, add --map Task=task", notes[0])
    assert len(list(Path().glob("leaderboards/predictions/mini/multi/*/their-system-*-0.jsonl.gz"))) == 2
    run("leaderboard", "--benchmark", "mini")
    board = Path("leaderboards/mini/multi.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in board.splitlines() if "their-system" in line]
    assert [cell.strip() for cell in rows[0][2:5]] == ["their-system", "unknown", "predictions only"]
    assert {cell.strip() for cell in rows[2][4:-1]} == {"–"}, "no cost is known"
    before = [path.read_bytes() for path in files]
    run("leaderboard", "--benchmark", "mini", "--check")
    assert run("rescore", "--benchmark", "mini").strip() == "2 as it was"
    again = run("score", "p.jsonl", "--benchmark", "mini", "--as", "their-system", "--setting", "multi")
    assert all(f"kept {path}" in again for path in files)
    assert [path.read_bytes() for path in files] == before, "the same again changes nothing"
    assert results.load_all(Path("leaderboards/results"), mini) != []
    improved = write("q.jsonl", spans(mini.corpus("ai").test))
    better = run("score", improved, "--benchmark", "mini", "--as", "their-system", "--setting", "multi")
    assert f"replaced {files[0]}" in better
    assert results.load(files[0]).f1("span-f1") == 100
    assert run("rescore", "--benchmark", "mini").strip() == "2 as it was"


def test_converted_tags_that_are_illegal_are_told(run: Score) -> None:
    """As `score` tells them."""
    Path("p.bio").write_text("Ada\tI-person\nmet\tO\nAlan\tB-person\n", encoding="utf-8")
    said = run("data", "convert", "p.bio", "--to", "jsonl", "--out", "p.jsonl")
    assert "p.bio:1: 'I-person' cannot follow 'O' in IOB2; what continues nothing begins an entity" in said


@pytest.mark.parametrize(
    ("file", "to", "out"),
    [("y.bio", "bio", "y.bio"), ("x.txt", "brat", "x"), ("x.txt", "brat", "x.ann"), ("x.ann", "bio", "x.txt")],
)
def test_a_conversion_takes_the_place_of_nothing_that_is_read(run: Score, file: str, to: str, out: str) -> None:
    """Neither the file itself nor the text beside brat's labels."""
    words = {"y.bio": "Ada\tB-person\n", "x.txt": "Ada\tB-person\n", "x.ann": "T1\tperson 0 3\tAda\n"}
    for name, text in words.items():
        Path(name).write_text(text, encoding="utf-8")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    said = run("data", "convert", file, "--to", to, "--out", out, status=1)
    assert "is the file that is read" in said
    assert "name another: --out NAME" in said
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize("out", ["x", "x.ann", "x.txt"])
def test_one_of_brat_s_two_files_names_both(run: Score, out: str) -> None:
    """And not `x.ann.ann`."""
    Path("p.bio").write_text("Ada\tB-person\n", encoding="utf-8")
    run("data", "convert", "p.bio", "--to", "brat", "--out", out)
    assert sorted(path.name for path in Path().glob("x*")) == ["x.ann", "x.txt"]


def test_a_split_is_no_choice_beside_a_gold_file(run: Score) -> None:
    """It would say nothing."""
    Path("p.bio").write_text("Ada\tB-person\n", encoding="utf-8")
    said = run("score", "p.bio", "--gold", "p.bio", "--split", "dev", status=1)
    assert "--gold stands for a benchmark" in said
    assert "leave out --benchmark, --target and --split" in said
