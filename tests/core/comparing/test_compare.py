"""What differs between two methods: by hand on files of predictions, as the board has it, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import cdner_bench
from cdner_bench import Corpus, Counts, Entity, Prediction, Rejected, Sentence
from cdner_bench.cli import main
from cdner_bench.cli.commands.stored.compare import show_paged
from cdner_bench.comparing import FORMATS, Comparison, compare, draw_sentences
from cdner_bench.comparing.entities import compare_entities
from cdner_bench.comparing.sentences import Nearest
from cdner_bench.data import Benchmark
from cdner_bench.errors import CdnerError
from cdner_bench.knowledge import Explanation
from cdner_bench.records import Comparable, Result, Status, results
from cdner_bench.reporting import make_boards
from cdner_bench.scoring import sentence_counts, total
from hostile import KEY, KEYS, TEXTS, find_harm
from samples import RESULT, run
from support import ROOT

Change = Callable[[int, Sentence], dict[str, Any]]


def write(place: Path, sentences: tuple[Sentence, ...], change: Change | None = None) -> str:
    """Gold as predictions, changed."""
    lines = [
        {"id": s.id, "entities": [[e.start, e.end, e.type] for e in s.entities]} | (change(n, s) if change else {})
        for n, s in enumerate(sentences)
    ]
    place.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return str(place)


def retype(n: int, sentence: Sentence) -> dict[str, Any]:
    """In the first ten sentences all are persons, from then on nothing is found in every second."""
    if n < 10:
        return {"entities": [[e.start, e.end, "person"] for e in sentence.entities]}
    return {"entities": []} if n % 2 else {}


def test_what_two_files_differ_in_is_counted_by_hand(mini: Benchmark, tmp_path: Path) -> None:
    corpus = mini.corpus("ai")
    a, b = write(tmp_path / "a.jsonl", corpus.test), write(tmp_path / "b.jsonl", corpus.test, retype)
    found = compare(a, b, benchmark="mini")
    wrong = [e for s in corpus.test[:10] for e in s.entities if e.type != "person"]
    missed = [e for s in corpus.test[11::2] for e in s.entities]
    right = sum(len(s.entities) for s in corpus.test) - len(wrong) - len(missed)
    f1 = 200 * right / (2 * right + 2 * len(wrong) + len(missed))
    assert (found.domains[0].a.mean, found.domains[0].b.mean) == pytest.approx((100.0, f1))
    assert found.difference == pytest.approx(100 - f1)
    assert found.interval is not None
    assert found.interval.low < 100 - f1 < found.interval.high
    assert found.p is not None
    assert found.p < 0.001
    assert found.entities is not None
    types = Counter(e.type for e in (*wrong, *missed))
    assert {t: c.gained for t, c in found.entities.by_type.items() if c.gained} == pytest.approx(types)
    assert not any(change.lost for change in found.entities.by_type.values())
    lengths = Counter(str(e.end - e.start) if e.end - e.start < 4 else "4 or more" for e in (*wrong, *missed))
    assert {n: c.gained for n, c in found.entities.by_length.items() if c.gained} == pytest.approx(lengths)
    labelled = {(s.surface(e), e.type) for s in corpus.train for e in s.entities}
    seen = sum((s.surface(e), e.type) in labelled for s in corpus.test for e in s.entities)
    assert found.entities.by_train["seen"].gold == seen
    for changes in (found.entities.by_type, found.entities.by_length, found.entities.by_train):
        assert sum(change.gained for change in changes.values()) == pytest.approx(len(wrong) + len(missed))
    errors = {kind: change.b for kind, change in found.entities.by_error.items() if change.b}
    assert errors == {"wrong type": len(wrong), "missed": len(missed)}
    assert found.entities.confusion_a == {}
    assert sum(row.get("(missed)", 0) for row in found.entities.confusion_b.values()) == len(missed)
    assert sum(row.get("person", 0) for row in found.entities.confusion_b.values()) == len(wrong)
    changed = {s.id for s in corpus.test[:10] if any(e.type != "person" for e in s.entities)}
    changed |= {s.id for s in corpus.test[11::2] if s.entities}
    assert {each.sentence.id for each in found.sentences} == changed
    back = compare(b, a, benchmark="mini")
    assert (back.difference, back.p) == pytest.approx((-found.difference, found.p))
    losses = [each.loss for each in back.sentences]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0
    assert f"{100 - f1:.2f}" in repr(found)


def test_a_comparison_says_what_the_board_says(mini: Benchmark) -> None:
    found = cdner_bench.compare("gazetteer", "gpt4", benchmark="mini", setting="single", out=ROOT)
    known = results.load_all(ROOT / "leaderboards" / "results", mini)
    (board,) = [b for b in make_boards(known, mini) if b.setting == "single"]
    rows = {row.method: row for row in board.rows}
    for domain in found.domains:
        assert domain.a == rows["gazetteer"].f1(domain.name)
        assert domain.b == rows["gpt4"].f1(domain.name)
    assert (found.overall.a, found.overall.b) == (rows["gazetteer"].average(), rows["gpt4"].average())
    assert len(found.domains) == len(board.targets)
    assert found.entities is not None
    tp = sum(total(r.sentences).tp for r in rows["gazetteer"].results)
    assert sum(change.a for change in found.entities.by_type.values()) == tp
    assert any("one seed" in remark for remark in found.remarks)


def test_explanations_are_shown_where_a_side_learnt_from_some() -> None:
    found = compare("topt", "bert-tagger", benchmark="mini", setting="demo", out=ROOT)
    assert found.learnt_from == {"gtok": ["A"]}
    explained = [changed.explained for changed in found.sentences]
    assert any(explained)
    swapped = compare("bert-tagger", "topt", benchmark="mini", setting="demo", out=ROOT)
    assert swapped.learnt_from == {"gtok": ["B"]}
    (first,) = draw(found, 1, 80)
    assert "A learnt from gtok: " in first


def draw(found: Comparison, number: int, width: int) -> list[str]:
    """What a terminal of so many columns shows of each sentence."""
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False, highlight=False, emoji=False)
    with console.capture() as said:
        console.print(*draw_sentences(found, number, width), sep="\n")
    return said.get().split("\n\n")[1:]


def test_sides_stand_side_by_side_where_there_is_room(mini: Benchmark, tmp_path: Path) -> None:
    test = mini.corpus("ai").test
    files = write(tmp_path / "a.jsonl", test, retype), write(tmp_path / "b.jsonl", test)
    found = compare(*files, benchmark="mini")
    (narrow,), (wide,) = draw(found, 1, 80), draw(found, 1, 160)
    assert not [line for line in narrow.splitlines() if re.match(r"A  .*B  ", line)]
    assert len([line for line in wide.splitlines() if re.match(r"A  .*B  ", line)]) == 1
    for shown in (narrow, wide):
        assert max(map(len, shown.splitlines())) <= (80 if shown is narrow else 160)
        assert "!person]" in shown


SENTENCES = (Sentence("x/test/0", ("a", "b", "c"), (Entity(0, 1, "t"), Entity(1, 3, "u"))),)
CORPUS = Corpus("x", ("t", "u"), (Sentence("x/train/0", ("a",), (Entity(0, 1, "u"),)),), (), SENTENCES)


def test_all_pairs_of_seeds_count_alike() -> None:
    both, one, none = ([Prediction("x/test/0", e)] for e in (SENTENCES[0].entities, SENTENCES[0].entities[:1], ()))
    found = compare_entities([(CORPUS, [both, one], [both, none, none, none])])
    u, t = found.by_type["u"], found.by_type["t"]
    assert (t.a, t.b, t.gained, t.lost) == pytest.approx((1, 1 / 4, 3 / 4, 0))
    assert (u.a, u.b, u.gained, u.lost) == pytest.approx((1 / 2, 1 / 4, 3 / 8, 1 / 8))
    assert found.by_train["seen as another type"].gold == 1
    assert found.by_train["unseen"].gold == 1
    missed = found.by_error["missed"]
    assert (missed.a, missed.b, missed.gained, missed.lost) == pytest.approx((1 / 2, 3 / 2, 9 / 8, 1 / 8))


def test_spurious_and_unplaced_errors_are_gained_where_the_other_makes_them() -> None:
    gold = SENTENCES[0].entities
    strange = [Prediction("x/test/0", gold, (Rejected("t", "z", "not in sentence"),))]
    found = compare_entities([(CORPUS, [[Prediction("x/test/0", gold)]], [strange])])
    unplaced = found.by_error["unplaced"]
    assert (unplaced.a, unplaced.b, unplaced.gained, unplaced.lost) == (0, 1, 1, 0)
    assert found.confusion_b == {"(spurious)": {"t": 1}}
    unknown = [Prediction("x/test/0", (Entity(0, 1, "planet"),), (Rejected("?", "z", "malformed"),))]
    found = compare_entities([(CORPUS, [unknown], [strange])])
    assert found.confusion_a == {
        "t": {"?": 1},
        "u": {"(missed)": 1},
        "(spurious)": {"?": 1},
    }
    same = compare_entities([(CORPUS, [strange], [strange])]).by_error["unplaced"]
    assert (same.a, same.b, same.gained, same.lost) == (1, 1, 0, 0)


def test_the_nearest_explanation_shares_rare_words() -> None:
    texts = ["a river in the north", "a singer in the band", "the band in the north", "singer in singer"]
    known = [Explanation("s", "it", "t", text) for text in texts]
    nearest = Nearest(known)
    assert nearest.find("The Singer sang", 1) == [known[3]]  # a word counted once, and nothing else in it
    assert nearest.find("a band", 5) == [known[1], known[2]]  # equals in their order
    assert nearest.find("in a zoo", 5) == []
    assert Nearest([]).find("river") == []


def board(out: Path, *made: Result) -> None:
    for result in made:
        results.save(result, out / "leaderboards" / "results" / result.path)


def other(tp: int, target: str = "ai", seed: int = 0, **options: object) -> Result:
    """A run of another method."""
    result = run(tp, target, seed, **options)
    method = replace(result.method, name="tagger")
    return replace(result, method=method, run=result.run[::-1], learnt_from=None)


MORE = Counts(60, 40, 41)
DATA = Comparable("mini", "2", "11", ("task",), (1, 1, 1))


@pytest.mark.parametrize(
    ("made", "named", "said", "hint"),
    [
        ([], ("topt", "tagger"), "there are no results in", "cdner-bench run"),
        ([run(50)], ("topt", "tagger"), "no method, row, run or file tagger", "topt"),
        ([run(50), other(60)], ("topt", "taggr"), "no method, row, run or file taggr", "tagger"),
        ([run(50), other(60)], ("topt", "topt"), "are the same", "another"),
        ([run(50), other(60)], ("topt", "topt/ai/0"), "are the same", "another"),
        ([run(50), other(60)], ("topt", "tagger/ai/7"), "no method.* tagger/ai/7", "tagger/single/ai/0"),
        ([run(50), other(60, "music")], ("topt", "tagger"), "no target in common", "share a target"),
        (
            [run(50, a=1), run(50, a=2), other(60)],
            ("topt", "tagger"),
            "topt is the name of 2 rows: topt-.*a=[12].*topt-",
            "name one: topt-",
        ),
        (
            [run(50), replace(other(60), status=Status.INCOMPLETE, reason="3 answers lack", scores={}, sentences=[])],
            ("topt", "tagger"),
            "tagger has no score: ai is incomplete: 3 answers lack",
            "cdner-bench run",
        ),
        (
            [replace(run(50), comparable=DATA), replace(other(60), comparable=replace(DATA, data="22"))],
            ("topt", "tagger"),
            r"ai: they differ in data \(11 and 22\)",
            "again",
        ),
        (
            [replace(run(50), comparable=DATA), replace(other(60), comparable=replace(DATA, types=("task", "x")))],
            ("topt", "tagger"),
            r"differ in entity types \(x\)",
            "again",
        ),
        (
            [replace(run(50), comparable=DATA), replace(other(60), comparable=replace(DATA, sentences=(2, 1, 1)))],
            ("topt", "tagger"),
            r"sentences of train/dev/test \(1/1/1 and 2/1/1\)",
            "again",
        ),
        (
            [run(50), replace(other(60), benchmark=replace(RESULT.benchmark, version="3"))],
            ("topt", "tagger"),
            r"the version of the benchmark \(2 and 3\)",
            "again",
        ),
        (
            [run(50), replace(other(60), sentences=[MORE], scores={"span-f1": {"task": MORE}})],
            ("topt", "tagger"),
            "differ in the gold of their test sentences",
            "again",
        ),
        (
            [run(50), replace(other(60), benchmark=replace(RESULT.benchmark, name="crossner"))],
            ("topt", "tagger"),
            "no benchmark is common: topt has results of mini; tagger has results of crossner",
            "same benchmark",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(
    made: list[Result], named: tuple[str, str], said: str, hint: str, tmp_path: Path
) -> None:
    board(tmp_path, *made)
    with pytest.raises(CdnerError, match=said) as caught:
        compare(*named, out=tmp_path)
    assert hint in (caught.value.hint or "")
    assert "\n" not in str(caught.value)


def test_settings_and_benchmarks_are_said_where_there_are_several(tmp_path: Path) -> None:
    made = [run(50), other(60)]
    multi = [replace(r, scenario=replace(r.scenario, setting="multi"), run=r.run[4:] + "beef") for r in made]
    board(tmp_path, *made, *multi)
    with pytest.raises(CdnerError, match=r"of multi, single.*say of which setting") as caught:
        compare("topt", "tagger", out=tmp_path)
    assert "--setting single" in (caught.value.hint or "")
    assert compare("topt", "tagger", setting="multi", out=tmp_path).difference == pytest.approx(-10)
    with pytest.raises(CdnerError, match="no results of the setting demo"):
        compare("topt", "tagger", setting="demo", out=tmp_path)
    across = compare("topt/single/ai/0", "tagger/multi/ai/0", out=tmp_path)
    assert any("setting single, B of multi" in remark for remark in across.remarks)


def test_the_average_of_uneven_seeds_is_of_those_that_all_domains_have(tmp_path: Path) -> None:
    """Its interval and p, too: a second seed of one domain, which says the opposite, changes none of them."""
    both = [run(60, "ai", 0), run(40, "music", 0), other(50, "ai", 0), other(35, "music", 0)]
    board(tmp_path / "even", *both)
    board(tmp_path / "uneven", *both, run(10, "ai", 1), run(12, "ai", 2), other(90, "ai", 1))
    even, uneven = (compare("topt", "tagger", out=tmp_path / name) for name in ("even", "uneven"))
    assert uneven.domains[0].a.n == 3
    assert (uneven.overall.a.mean, uneven.overall.b.mean) == (50, 42.5)
    assert (uneven.difference, uneven.interval, uneven.p) == (even.difference, even.interval, even.p)
    said = "the average of {}, its interval and p are of the seeds of all domains: 0, as if {} always answered so"
    assert {said.format("A", "A"), said.format("B", "B")} <= set(uneven.remarks)


def test_what_two_files_are_asked_for_is_known(mini: Benchmark, tmp_path: Path) -> None:
    """Domains and settings that the benchmark does not have are refused, those that no file has are said."""
    corpus = mini.corpus("ai")
    a, b = write(tmp_path / "a.jsonl", corpus.test), write(tmp_path / "b.jsonl", corpus.test, retype)
    with pytest.raises(CdnerError, match="mini has no domain 'musik'"):
        compare(a, b, benchmark="mini", targets=["ai", "musik"])
    with pytest.raises(CdnerError, match="mini has no setting 'singel'"):
        compare(a, b, benchmark="mini", setting="singel")
    found = compare(a, b, benchmark="mini", targets=["ai", "music"])
    assert "music: left out, A and B have nothing of it" in found.remarks
    bare = tmp_path / "bare.jsonl"
    bare.write_text("\n".join('{"entities": []}' for _ in corpus.test))
    with pytest.raises(CdnerError, match="has no sentence ids") as caught:
        compare(a, str(bare), benchmark="mini")
    assert caught.value.hint == "name it: --target ai"


def test_counts_are_compared_where_nothing_else_is_here(tmp_path: Path) -> None:
    """Rows with holes, of several seeds and without predictions; the plain row of several."""
    made = [run(tp, t, s) for t, tp in (("ai", 50), ("music", 40)) for s in (0, 1)]
    board(tmp_path, *made, run(90, mix=1), other(70, "ai", 0), other(60, "music", 0), other(60, "politics", 0))
    found = compare("topt", "tagger", out=tmp_path)
    assert [(d.name, d.a.mean, d.b.mean, d.a.n, d.b.n) for d in found.domains] == [
        ("ai", 50, 70, 1, 1),  # seeds that answer alike are one run
        ("music", 40, 60, 1, 1),
    ]
    assert found.difference == pytest.approx(-20)
    assert found.p is not None
    assert found.entities is None
    assert list(found.sentences) == []
    said = "\n".join(found.remarks)
    assert "left out: politics: topt has no result" in said
    assert re.search("topt is read as topt-[0-9a-f]{8}, which has the options of its preset", said)
    assert "entities and sentences are not compared" in said
    assert "one seed (0)" in said
    rows = {r.method.row for r in made}
    assert compare(f"topt-{rows.pop()}", "tagger", targets=["ai"], out=tmp_path).difference == pytest.approx(-20)
    with pytest.raises(CdnerError, match="topt was not scored under bio-projected on ai") as caught:
        compare("topt", "tagger", out=tmp_path, protocol="bio-projected")
    assert "rescore" in (caught.value.hint or "")
    for format_ in FORMATS.values():
        assert "20.00" in format_(found, None) or "-20.0" in format_(found, None)


@pytest.mark.parametrize("protocol", ["strict-reading", "conlleval-stream", "topt-released"])
def test_other_protocols_are_counted_sentence_by_sentence(protocol: str, mini: Benchmark, tmp_path: Path) -> None:
    test = mini.corpus("ai").test
    a, b = write(tmp_path / "a.jsonl", test), write(tmp_path / "b.jsonl", test, retype)
    found = compare(a, b, benchmark="mini", protocol=protocol)
    assert found.p is not None
    assert found.p < 0.01
    assert found.difference > 0


def test_seeds_are_said_once_for_both_sides(mini: Benchmark, tmp_path: Path) -> None:
    """A file has none, and beside a run of one seed, too, only sentences are drawn."""
    a = write(tmp_path / "a.jsonl", mini.corpus("ai").test)
    b = write(tmp_path / "b.jsonl", mini.corpus("ai").test, retype)
    files = compare(a, b, benchmark="mini")
    assert "A and B have no seeds, being a file: intervals and p are over sentences only" in files.remarks
    assert "– / –" in FORMATS["html"](files, None)
    mixed = compare("gazetteer/single/ai/0", b, benchmark="mini", out=ROOT)
    assert "A has one seed (0), B has no seeds, being a file: intervals and p are over sentences only" in mixed.remarks


def test_a_file_is_compared_with_a_row(mini: Benchmark, tmp_path: Path) -> None:
    test = mini.corpus("ai").test
    named = write(tmp_path / "p.jsonl", test)
    found = compare(named, "gazetteer", setting="single", benchmark="mini", out=ROOT)
    assert [d.name for d in found.domains] == ["ai"]
    assert found.domains[0].a.mean == 100
    bio = tmp_path / "p.bio"
    cdner_bench.conll.write(bio, test)
    assert compare(str(bio), "gazetteer/single/ai/0", benchmark="mini", out=ROOT).difference == found.difference
    dev = write(tmp_path / "dev.jsonl", mini.corpus("ai").dev)
    with pytest.raises(CdnerError, match="is for ai/dev, and a comparison is over test sentences"):
        compare(dev, "gazetteer", setting="single", benchmark="mini", out=ROOT)


@pytest.fixture
def hostile(mini: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Files of which one says what others may try."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    texts = [*(text for text in TEXTS if text.isascii() or text < "\ud800"), *KEYS]
    claims = [[text[:200], text[:200], "not in sentence"] for text in texts]
    test = mini.corpus("ai").test
    a = write(tmp_path / "a.jsonl", test, lambda n, s: {"rejected": claims} if n == 0 else {})
    return a, write(tmp_path / "b.jsonl", test)


class Tags(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("format_", ["text", *FORMATS])
def test_what_models_say_is_text(format_: str, hostile: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *hostile, "--benchmark", "mini", "--format", format_])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert find_harm(said) == []
    if format_ == "html":
        page = Tags()
        page.feed(said)
        assert page.tags.isdisjoint({"a", "form", "iframe", "img", "link", "script"})
        assert page.attributes <= {"lang", "charset", "name", "content", "class", "scope", "data-label"}
    if format_ == "csv":
        for row in csv.reader(io.StringIO(said)):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)
    if format_ == "json":
        assert json.loads(said)["sentences"][0]["loss"] > 0


def test_the_command_shows_as_many_sentences_as_are_asked_for(
    mini: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = mini.corpus("ai").test
    files = write(tmp_path / "a.jsonl", test, retype), write(tmp_path / "b.jsonl", test)
    heads = re.compile(r"^ai/test/\d+: A \d+ right", re.MULTILINE)
    for number, expected in (((), 5), (("--sentences", "2"), 2), (("--sentences", "0"), 0)):
        with pytest.raises(SystemExit):
            main(["compare", *files, "--benchmark", "mini", *number])
        assert len(heads.findall(capsys.readouterr().out)) == expected
    with pytest.raises(SystemExit) as ended:
        main(["compare", *files, "--benchmark", "mini", "--format", "json", "--sentences", "1"])
    assert ended.value.code == 0
    (shown,) = json.loads(capsys.readouterr().out)["sentences"]
    (gold,) = [s for s in test if s.id == shown["id"]]
    said = Prediction(gold.id, tuple(Entity(*e) for e in shown["a"]["entities"]))
    assert shown["a"]["counts"] == str(sentence_counts(gold, said))


def test_what_fits_no_terminal_goes_through_the_pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    tty, paged = Tty(), tmp_path / "paged"
    monkeypatch.setattr(sys, "stdout", tty)
    monkeypatch.setattr(sys, "stdin", tty)
    monkeypatch.setenv("PAGER", f"tee {paged}")
    show_paged("a\n", 5)
    assert (tty.getvalue(), paged.exists()) == ("a\n", False)
    show_paged("b → c\n" * 9, 5)
    assert paged.read_text(encoding="utf-8") == "b → c\n" * 9
    monkeypatch.setenv("PAGER", "no-such-pager")
    show_paged("d\n" * 9, 5)
    assert tty.getvalue() == "a\n" + "d\n" * 9


def test_rows_without_predictions_are_told_so(tmp_path: Path) -> None:
    """The gold is here, and what was said is not."""
    source = ROOT / "leaderboards" / "results" / "mini" / "single"
    for file in source.glob("*/*.json"):
        place = tmp_path / "leaderboards" / "results" / "mini" / "single" / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    found = compare("gazetteer", "gpt4", out=tmp_path)
    assert found.entities is None
    assert found.p is not None
    assert sum("the predictions of gazetteer are not kept here" in remark for remark in found.remarks) == 1
