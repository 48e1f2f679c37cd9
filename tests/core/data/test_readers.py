"""What people bring: small files, each valid in a format or broken in one way, with their right score or message."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Entity, Sentence
from cdner_bench.data.readers import LabelledFile, read_file, read_sentences
from cdner_bench.errors import CdnerError
from cdner_bench.scoring import Judged, Report, judge_by_column
from cdner_bench.scoring.judging import match_order

TYPES = ("person", "location", "music genre")
GOLD = [
    Sentence(
        "x/test/0", ("Ada", "Lovelace", "met", "Alan", "Turing", "."), (Entity(0, 2, "person"), Entity(3, 5, "person"))
    ),
    Sentence("x/test/1", ("Paris", "is", "in", "France"), (Entity(0, 1, "location"), Entity(3, 4, "location"))),
    Sentence("x/test/2", ("nothing", "here"), ()),
]

PERFECT = """\
Ada\tB-person
Lovelace\tI-person
met\tO
Alan\tB-person
Turing\tI-person
.\tO

Paris\tB-location
is\tO
in\tO
France\tB-location

nothing\tO
here\tO
"""
CONLL = """\
-DOCSTART- -X- -X- O

Ada NNP B-NP B-person
Lovelace NNP I-NP I-person
met VBD B-VP O
Alan NNP B-NP B-person
Turing NNP I-NP I-person
. . O O

-DOCSTART- -X- -X- O

Paris NNP B-NP B-location
is VBZ B-VP O
in IN B-PP O
France NNP B-NP B-location

nothing NN B-NP O
here RB B-ADVP O
"""


def judge(file: LabelledFile) -> Report:
    return Report(file, Judged("gold", [((GOLD, TYPES), match_order(file, (GOLD, TYPES)))]))


def score(folder: Path, content: str | bytes | list[Any], name: str = "file", **options: str) -> Report:
    """The report on one file; a list is written as JSON lines."""
    if isinstance(content, list):
        content = "".join(f"{json.dumps(record)}\n" for record in content)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return judge(read_file(path, **options))


def swap(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def in_scheme(mark: dict[str, str]) -> str:
    """The right tags, each given in another scheme."""
    lines = (line.partition("\t") for line in PERFECT.splitlines())
    return (
        "\n".join(f"{token}{tab}{mark.get(f'{token} {tag}', mark.get(tag, tag))}" for token, tab, tag in lines) + "\n"
    )


SINGLE = {"Paris B-location": "S-location", "France B-location": "S-location"}
ENDS = {"Lovelace I-person": "E-person", "Turing I-person": "E-person"}
TEXTS = ["Ada Lovelace met Alan Turing .", "Paris is in France", "nothing here"]
CHARACTERS = [[[0, 12, "person"], [17, 28, "person"]], [[0, 5, "location"], [12, 18, "location"]], []]
TOKENS = [[[0, 2, "person"], [3, 5, "person"]], [[0, 1, "location"], [3, 4, "location"]], []]
TAGS = [[line.split("\t")[1] for line in block.splitlines()] for block in PERFECT.strip().split("\n\n")]
WORDS = [list(s.tokens) for s in GOLD]


def labels(keys: tuple[str, str, str], spans: Sequence[Any] = CHARACTERS) -> list[Any]:
    return [[dict(zip(keys, span, strict=True)) for span in row] for row in spans]


def rows(**columns: Sequence[object]) -> list[Any]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def task(text: str, spans: Sequence[Any]) -> dict[str, object]:
    """A Label Studio task."""
    found = [{"type": "labels", "value": {"start": s, "end": e, "labels": [k], "text": text[s:e]}} for s, e, k in spans]
    return {"id": 7, "data": {"text": text}, "annotations": [{"result": found}]}


def prodigy(text: str, words: list[str], spans: Sequence[Any]) -> dict[str, object]:
    starts = [text.index(word) for word in words]
    tokens = [
        {"text": w, "start": n, "end": n + len(w), "id": i} for i, (w, n) in enumerate(zip(words, starts, strict=True))
    ]
    ends = [n + len(w) for n, w in zip(starts, words, strict=True)]
    found = [
        {"start": s, "end": e, "token_start": starts.index(s), "token_end": ends.index(e), "label": k}
        for s, e, k in spans
    ]
    return {"text": text, "tokens": tokens, "spans": found, "_input_hash": 1, "answer": "accept"}


EVAL = PERFECT.replace("\tB-person\n", "\tB-person\tB-person\n").replace("\tI-person\n", "\tI-person\tI-person\n")
EVAL = EVAL.replace("\tB-location\n", "\tB-location\tB-location\n").replace("\tO\n", "\tO\tO\n")

RIGHT: dict[str, str | bytes | list[Any]] = {
    "two columns with tabs": PERFECT,
    "two columns with blanks": PERFECT.replace("\t", " "),
    "two columns with several blanks": PERFECT.replace("\t", "    "),
    "two columns with blanks and tabs": PERFECT.replace("\t", " \t "),
    "no final line end": PERFECT.rstrip("\n"),
    "Windows line ends": PERFECT.replace("\n", "\r\n"),
    "line ends of the first Macs": PERFECT.replace("\n", "\r"),
    "byte-order mark": b"\xef\xbb\xbf" + PERFECT.encode(),
    "extra empty lines": "\n\n" + PERFECT.replace("\n\n", "\n\n\n\n") + "\n\n",
    "blanks on the empty lines": PERFECT.replace("\n\n", "\n   \n"),
    "tabs on the empty lines": PERFECT.replace("\n\n", "\n\t\n"),
    "a no-break space on the empty lines": PERFECT.replace("\n\n", "\n\xa0\n"),
    "blank behind every tag": PERFECT.replace("\n", " \n"),
    "tab behind every tag": PERFECT.replace("person\n", "person\t\n").replace("O\n", "O\t\n"),
    "no-break space behind every tag": PERFECT.replace("person\n", "person\xa0\n"),
    "blank before the tags": PERFECT.replace("\t", "\t "),
    "blank behind some tags": PERFECT.replace("Lovelace\tI-person\n", "Lovelace\tI-person  \n"),
    "gzip": gzip.compress(PERFECT.encode()),
    "gzip of two parts": gzip.compress(PERFECT[:40].encode()) + gzip.compress(PERFECT[40:].encode()),
    "comments before the sentences": "# id 1 domain=en\n" + PERFECT.replace("\n\n", "\n\n# id 2 domain=en\n"),
    "comments as wide as the sentences": "# id 7b1a\tdomain=train\n"
    + PERFECT.replace("\t", " _ _ ").replace("\n\n", "\n\n# id 7b1b\tdomain=train\n"),
    "four columns of CoNLL 2003": CONLL,
    "four columns with tabs": CONLL.replace(" ", "\t"),
    "document marks in two columns": "-DOCSTART-\tO\n\n" + PERFECT,
    "document marks with blanks where there are tabs": "-DOCSTART- -X- O O\n\n" + PERFECT,
    "document marks with blanks, and comments": "-DOCSTART- -X- O O\n\n# id 1\n" + PERFECT,
    "document marks without an empty line": "-DOCSTART-\tO\n" + PERFECT.replace("\n\n", "\n-DOCSTART-\tO\n"),
    "three columns, POS before the tag": PERFECT.replace("\t", "\tNN\t"),
    "token, gold and prediction": EVAL,
    "token, gold and prediction with blanks": EVAL.replace("\t", " "),
    "token, POS, gold and prediction": "\n".join(
        line.replace("\t", " NN ", 1).replace("\t", " ") for line in EVAL.split("\n")
    ),
    "IOB1": in_scheme({"B-person": "I-person", "B-location": "I-location"}),
    "IO": in_scheme({"B-person": "I-person", "B-location": "I-location"}),
    "bare types": in_scheme({f"{p}-{t}": t for p in "BI" for t in ("person", "location")}),
    "IOBES": in_scheme({**SINGLE, **ENDS}),
    "BILOU": in_scheme({k: {"S": "U", "E": "L"}[v[0]] + v[1:] for k, v in {**SINGLE, **ENDS}.items()}),
    "BMES": in_scheme({**SINGLE, **ENDS}),
    "BMEWO": in_scheme({k: {"S": "W", "E": "E"}[v[0]] + v[1:] for k, v in {**SINGLE, **ENDS}.items()}),
    "underscores for hyphens": PERFECT.replace("B-", "B_").replace("I-", "I_"),
    "letters behind the types": in_scheme({f"{p}-{t}": f"{t}-{p}" for p in "BI" for t in ("person", "location")}),
    "I- where B- is right, as conlleval reads it": PERFECT.replace("Alan\tB-", "Alan\tI-"),
    "tags, a line each": "\n\n".join("\n".join(tags) for tags in TAGS) + "\n",
    "tags, a line a sentence": "\n".join(" ".join(tags) for tags in TAGS) + "\n",
    "tags, a line a sentence, with tabs": "\n".join("\t".join(tags) for tags in TAGS) + "\n",
    "tags of IOBES, a line a sentence": "B-person E-person O B-person E-person O\nS-location O O S-location\nO O\n",
    "JSON lines of tokens and tags": rows(tokens=WORDS, tags=TAGS),
    "JSON lines of words and labels": rows(words=WORDS, labels=TAGS),
    "JSON lines of tokens and ner_tags": rows(id=[0, 1, 2], tokens=WORDS, ner_tags=TAGS),
    "JSON lines of tags alone": rows(tags=TAGS),
    "JSON lines of token spans": rows(tokens=WORDS, entities=TOKENS),
    "JSON lines of token spans alone": rows(entities=TOKENS),
    "JSON lines of token spans as objects": rows(tokens=WORDS, entities=labels(("start", "end", "type"), TOKENS)),
    "JSON lines of our own": rows(id=[s.id for s in GOLD], entities=TOKENS),
    "generated text": rows(
        raw=["(person, Ada Lovelace) (person, Alan Turing)", "(location, Paris) (location, France)", ""]
    ),
    "Doccano": rows(id=[1, 2, 3], text=TEXTS, label=CHARACTERS),
    "Doccano of old": rows(id=[1, 2, 3], text=TEXTS, labels=CHARACTERS, Comments=[[], [], []]),
    "Doccano with relations": rows(
        text=TEXTS, entities=labels(("start_offset", "end_offset", "label")), relations=[[]] * 3
    ),
    "Label Studio": json.dumps([task(t, s) for t, s in zip(TEXTS, CHARACTERS, strict=True)], indent=1),
    "Label Studio, in lines": [task(t, s) for t, s in zip(TEXTS, CHARACTERS, strict=True)],
    "Label Studio, small": rows(
        text=TEXTS, label=[[{"start": s, "end": e, "labels": [k]} for s, e, k in r] for r in CHARACTERS]
    ),
    "Prodigy": [prodigy(t, w, s) for t, w, s in zip(TEXTS, WORDS, CHARACTERS, strict=True)],
    "spaCy's training data": json.dumps([[t, {"entities": s}] for t, s in zip(TEXTS, CHARACTERS, strict=True)]),
    "spaCy's training data, in lines": [[t, {"entities": s}] for t, s in zip(TEXTS, CHARACTERS, strict=True)],
    "spaCy's documents": rows(text=TEXTS, ents=labels(("start", "end", "label"))),
    "an annotator's classes and annotations": json.dumps(
        {"classes": ["person"], "annotations": [[t, {"entities": s}] for t, s in zip(TEXTS, CHARACTERS, strict=True)]}
    ),
    "an object with data": json.dumps({"data": rows(tokens=WORDS, tags=TAGS)}),
    "an array of token spans": json.dumps(rows(tokens=WORDS, entities=TOKENS)),
    "an array in many lines": json.dumps(rows(tokens=WORDS, entities=TOKENS), indent=2),
    "text and tokens, characters": rows(text=TEXTS, tokens=WORDS, entities=CHARACTERS),
    "text and tokens, tokens": rows(text=TEXTS, tokens=WORDS, entities=TOKENS),
    "a pipeline's groups": rows(text=TEXTS, entities=labels(("start", "end", "entity_group"))),
    "text with other white space": rows(
        text=["Ada  Lovelace met Alan Turing.", "Paris is\tin France", " nothing here "],
        label=[[[0, 13, "person"], [18, 29, "person"]], CHARACTERS[1], []],
    ),
    "offsets with white space around": rows(
        text=TEXTS, label=[[[0, 13, "person"], [16, 28, "person"]], CHARACTERS[1], []]
    ),
    "JSON lines, empty lines between": "\n\n".join(json.dumps(r) for r in rows(tokens=WORDS, tags=TAGS)) + "\n\n",
    "JSON lines with Windows line ends": "\r\n".join(json.dumps(r) for r in rows(tokens=WORDS, tags=TAGS)) + "\r\n",
    "JSON lines with a byte-order mark": b"\xef\xbb\xbf"
    + "\n".join(json.dumps(r) for r in rows(tokens=WORDS, tags=TAGS)).encode(),
    "gzip of JSON lines": gzip.compress("\n".join(json.dumps(r) for r in rows(tokens=WORDS, tags=TAGS)).encode()),
    "gzip of an array": gzip.compress(json.dumps(rows(text=TEXTS, label=CHARACTERS)).encode()),
    "empty labels beside full ones": rows(text=TEXTS, spans=[[]] * 3, entities=CHARACTERS),
    "numbers for ids": rows(id=[5, 6, 7], tokens=WORDS, tags=TAGS),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_predictions_in_every_format(name: str, tmp_path: Path) -> None:
    report = score(tmp_path, RIGHT[name])
    assert report.scores.counts().f1 == 100, report.remarks
    assert report.scores.counts("seqeval-default").f1 == report.scores.counts("conlleval-stream").f1 == 100


@pytest.mark.parametrize("name", [name for name in RIGHT if not name.startswith("I- where B-")])
def test_tags_of_any_scheme_are_legal_in_strict_mode(name: str, tmp_path: Path) -> None:
    """What is legal in its own scheme is no illegal IOB2 to the protocol that drops such tags."""
    assert score(tmp_path, RIGHT[name]).scores.counts("seqeval-strict").f1 == 100


def test_neighbours_in_iob1_stay_two(tmp_path: Path) -> None:
    """Under every protocol that reads tags."""
    tags = "I-person B-person O I-person B-person O\nI-location B-location O I-location\nO O\n"
    assert [score(tmp_path, tags).protocols[name] for name in ("seqeval-default", "conlleval-stream")] == [
        score(tmp_path, tags).protocols["seqeval-strict"]
    ] * 2


WRONG: dict[str, tuple[str | bytes | list[Any], float]] = {
    "a type that the domain does not have": (
        PERFECT.replace("Alan\tB-person\nTuring\tI-person", "Alan\tB-planet\nTuring\tI-planet"),
        75.0,
    ),
    "a type in capitals": (PERFECT.replace("location", "Location"), 50.0),
    "a boundary": (PERFECT.replace("Lovelace\tI-person", "Lovelace\tO"), 75.0),
    "one missing": (PERFECT.replace("Paris\tB-location", "Paris\tO"), 600 / 7),
    "one too many": (PERFECT.replace("here\tO", "here\tB-person"), 800 / 9),
    "nothing at all": ("\n\n".join("\n".join(["O"] * len(s.tokens)) for s in GOLD) + "\n", 0.0),
    "an offset inside a token": (
        rows(text=TEXTS, label=[[[0, 11, "person"], [17, 28, "person"]], CHARACTERS[1], []]),
        75.0,
    ),
    "token spans that overlap": (rows(entities=[[*TOKENS[0], [1, 3, "person"]], TOKENS[1], []]), 800 / 9),
    "token spans of an unknown type": (rows(entities=[[[0, 2, "planet"], TOKENS[0][1]], TOKENS[1], []]), 75.0),
    "the same span twice": (rows(entities=[TOKENS[0] * 2, TOKENS[1], []]), 100.0),
    "a type too many in text": (
        rows(raw=["(person, Ada Lovelace) (planet, Alan Turing)", "(location, Paris) (location, France)", ""]),
        75.0,
    ),
    "text that is not there": (
        rows(
            raw=[
                "(person, Ada Lovelace) (person, Alan Turing) (person, Bob)",
                "(location, Paris) (location, France)",
                "",
            ]
        ),
        800 / 9,
    ),
    "IOBES whose entity does not end": (in_scheme({**SINGLE, "Lovelace I-person": "E-person"}), 100.0),
    "IOBES that begins with E": (in_scheme({**SINGLE, **ENDS, "Ada B-person": "O"}), 75.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_predictions_cost_what_they_should(name: str, tmp_path: Path) -> None:
    content, expected = WRONG[name]
    assert score(tmp_path, content).scores.counts().f1 == pytest.approx(expected)


@pytest.mark.parametrize("name", [n for n in WRONG if n not in ("token spans that overlap",)])
def test_spans_and_tags_of_the_same_predictions_score_alike(name: str, tmp_path: Path) -> None:
    """Protocols on tags do not lose what spans can say: only what is no span, or overlaps, has no tag."""
    report = score(tmp_path, WRONG[name][0])
    unplaced = sum(len(prediction.rejected) for _, prediction in report.pairs)
    if not unplaced:
        assert report.scores.counts("seqeval-default") == report.scores.counts()
        assert report.scores.counts("bio-projected") == report.scores.counts()
    else:
        assert any("tags cannot say" in remark for remark in report.remarks)


REMARKS: dict[str, tuple[str | bytes | list[Any], str]] = {
    "a type in capitals": (
        PERFECT.replace("location", "Location"),
        r"2 predictions are of types .*: 'Location' \(2\); if 'location' was meant, add --map Location=location$",
    ),
    "a hyphen for a blank": (
        PERFECT.replace("location", "music-genre"),
        r"; if 'music genre' was meant, add --map 'music-genre=music genre'$",
    ),
    "an underscore for a blank": (
        PERFECT.replace("location", "music_genre"),
        r"; if 'music genre' was meant, add --map 'music_genre=music genre'$",
    ),
    "a type nobody has": (
        PERFECT.replace("location", "planet"),
        r"2 predictions are of types that the domain does not have: 'planet' \(2\)$",
    ),
    "the first letters of a type": (PERFECT.replace("person", "PER"), "; if 'person' was meant, add --map PER=person$"),
    "a type nearly so spelt": (
        rows(entities=[[*TOKENS[0], [1, 2, "locatoin"]], [], []]),
        "if 'location' was meant, add --map locatoin=location$",
    ),
    "white space behind tags": (PERFECT.replace("O\n", "O \n"), r"6 lines end in white space"),
    "comments": ("# one\n" + PERFECT, "1 lines are comments"),
    "documents": (CONLL, "2 lines begin a document"),
    "illegal tags": (
        PERFECT.replace("Alan\tB-", "Alan\tI-"),
        r"file:4: 'I-person' cannot follow 'O' in IOB2; what continues nothing",
    ),
    "an offset inside a token": (
        rows(text=TEXTS, label=[[[0, 11, "person"]], [], []]),
        "1 predictions are no spans of tokens",
    ),
    "overlaps": (
        rows(entities=[[*TOKENS[0], [1, 3, "person"]], [], []]),
        "1 predictions that tags cannot say are left out by bio-projected",
    ),
}


@pytest.mark.parametrize("name", REMARKS)
def test_what_was_read_in_spite_of_its_form_is_said(name: str, tmp_path: Path) -> None:
    content, expected = REMARKS[name]
    remarks = score(tmp_path, content).remarks
    assert any(re.search(expected, remark) for remark in remarks), remarks


UNANSWERED: dict[str, list[Any]] = {
    "Prodigy": [{**prodigy("No one", ["No", "one"], []), "answer": answer} for answer in ("reject", "ignore")],
    "Label Studio": [
        {**task("No one", [[0, 6, "person"]]), "annotations": []},
        {
            "data": {"text": "No one"},
            "annotations": [],
            "predictions": task("No one", [[0, 2, "person"]])["annotations"],
        },
    ],
    "Label Studio, cancelled": [
        {"data": {"text": "No one"}, "annotations": [{"was_cancelled": True, "result": []}]},
        {"data": {"text": "No one"}},
    ],
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_tasks_that_were_not_accepted_are_left_out(name: str, tmp_path: Path) -> None:
    """They are no gold and no predictions, and the report counts them."""
    accepted: Any = RIGHT["Prodigy" if name == "Prodigy" else "Label Studio, in lines"]
    report = score(tmp_path, [UNANSWERED[name][0], *accepted, UNANSWERED[name][1]])
    assert report.f1 == 100
    assert "2 tasks were not accepted, and are left out" in report.remarks
    assert read_sentences(tmp_path / "file", "x/test") == GOLD
    with pytest.raises(CdnerError, match="has no sentences: none of its 2 tasks was accepted"):
        score(tmp_path, UNANSWERED[name])


def test_an_annotation_that_was_cancelled_is_passed_over(tmp_path: Path) -> None:
    """The first that was not cancelled counts."""
    cancelled = {"was_cancelled": True, "result": []}
    tasks: list[Any] = [task(t, s) for t, s in zip(TEXTS, CHARACTERS, strict=True)]
    report = score(tmp_path, [{**t, "annotations": [cancelled, *t["annotations"]]} for t in tasks])
    assert (report.f1, report.remarks) == (100, [])


def test_a_model_s_predictions_in_tasks_are_no_gold(tmp_path: Path) -> None:
    """They can be scored, which is said."""
    tasks: list[Any] = [task(t, s) for t, s in zip(TEXTS, CHARACTERS, strict=True)]
    report = score(tmp_path, [{"data": t["data"], "predictions": t["annotations"]} for t in tasks])
    assert report.f1 == 100
    assert "the spans of 3 tasks are a model's predictions" in report.remarks
    with pytest.raises(CdnerError, match="file:1: the spans are a model's predictions, and no gold"):
        read_sentences(tmp_path / "file", "x/test")


def broken(record: int, **changes: object) -> list[Any]:
    records: list[Any] = rows(id=[s.id for s in GOLD], tokens=WORDS, entities=TOKENS)
    records[record] = {**records[record], **changes}
    return records


def test_a_hash_with_a_tag_is_a_token(tmp_path: Path) -> None:
    """At the beginning of a sentence, too, whatever the scheme."""
    for tag in ("O", "B-x", "x", "x-B"):
        (tmp_path / "file").write_text(f"a {tag}\nb O\n\n# {tag}\n1 O\n")
        assert read_file(tmp_path / "file").items[1].tokens == ("#", "1")


@pytest.mark.parametrize("empty", range(1, 7))
def test_lines_are_counted_over_empty_ones(empty: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("\n\n" + PERFECT.replace("\n\n", "\n" * (empty + 1)))
    assert [item.place for item in read_file(tmp_path / "file").items] == [":3", f":{9 + empty}", f":{13 + 2 * empty}"]


BROKEN: dict[str, tuple[str | bytes | list[Any], str]] = {
    "empty": ("", "has no sentences: it is empty"),
    "white space": ("\n \n\t\n", "has no sentences: it is empty"),
    "a missing column": (
        PERFECT.replace("met\tO", "met"),
        r"file:3: expected a token and its tag, found 1 column where line 1 has 2: 'met'",
    ),
    "a column too many": (PERFECT.replace("met\tO", "met\tVBD\tO"), r"file:3: .* found 3 columns where line 1 has 2"),
    "blanks where there are tabs": (PERFECT.replace("met\tO", "met O"), r"file:3: .* found 1 column"),
    "an empty token": (PERFECT.replace("met\tO", "\tO"), r"file:3: the token is empty"),
    "a no-break space as a token": (PERFECT.replace("met\tO", "\xa0\tO"), r"file:3: the token is a no-break space"),
    "a missing tag": (PERFECT.replace("met\tO", "met\t"), r"file:3: .* found 1 column"),
    "no tag at all": ("Ada\nLovelace\n", r"file:1: .* found 1 column: 'Ada'"),
    "a tag without a type": (PERFECT.replace("met\tO", "met\tB-"), r"file:3: 'B-' is not a tag"),
    "a tag without a letter": (PERFECT.replace("met\tO", "met\tperson"), r"file:3: 'person' is not a tag"),
    "a zero for O": (PERFECT.replace("\tO", "\t0"), r"file:3: '0' is not a tag"),
    "a small o": (PERFECT.replace("\tO", "\to"), r"file:3: 'o' is not a tag"),
    "an underscore for O": (PERFECT.replace("\tO", "\t_"), r"file:3: '_' is not a tag"),
    "small letters": (PERFECT.replace("B-", "b-").replace("I-", "i-"), r"file:1: 'b-person' is not a tag"),
    "letters of two schemes": (
        PERFECT.replace("met\tO", "met\tU-person").replace("in\tO", "in\tE-person"),
        "begin with B, E, I, U, which no scheme has",
    ),
    "parts of speech": (
        PERFECT.replace("\tO", "\tNN")
        .replace("\tB-person", "\tNNP")
        .replace("\tI-person", "\tNNP")
        .replace("\tB-location", "\tNNP"),
        "none begins with B- or I-, and none is O",
    ),
    "one sentence less": (PERFECT.partition("\n\n")[2], r"has 2 sentences, the gold split has 3"),
    "one sentence more": (PERFECT + "\nBye\tO\n", r"has 4 sentences, the gold split has 3"),
    "no empty lines": (PERFECT.replace("\n\n", "\n"), r"has 1 sentences, the gold split has 3"),
    "another order": (
        "\n\n".join(reversed(PERFECT.strip().split("\n\n"))) + "\n",
        r"file:1: the tokens of x/test/0 differ: token 1 is 'nothing' here, 'Ada' in gold",
    ),
    "another word": (
        PERFECT.replace("met", "meets"),
        r"file:1: the tokens of x/test/0 differ: token 3 is 'meets' here, 'met' in gold",
    ),
    "a sentence that was cut": (
        PERFECT.replace("Turing\tI-person\n.\tO\n", ""),
        r"file:1: 4 of the 6 tokens of x/test/0: the sentence was cut",
    ),
    "a sentence that goes on": (
        PERFECT.replace("here\tO\n", "here\tO\nnow\tO\n"),
        r"token 3 is 'now' here, nothing more in gold",
    ),
    "tags, one too few": (
        "\n".join(" ".join(tags) for tags in [TAGS[0][:-1], *TAGS[1:]]) + "\n",
        r"file:1: 5 tags, and x/test/0 has 6 tokens",
    ),
    "tags of IOBES, one too few": (
        "B-person E-person O B-person E-person\nS-location O O S-location\nO O\n",
        r"file:1: 5 tags, and x/test/0 has 6 tokens",
    ),
    "not UTF-8": (PERFECT.replace("met", "m\xe9t").encode("latin-1"), r"file:3: byte 0xe9 is not UTF-8"),
    "UTF-16": (PERFECT.encode("utf-16"), "is UTF-16"),
    "a null byte": (PERFECT.replace("met", "m\0t"), "file:3: a null byte"),
    "a zip archive": (b"PK\x03\x04 and so on", "is a zip archive"),
    "gzip that was cut": (gzip.compress(PERFECT.encode())[:-9], "is cut off|is damaged"),
    "gzip with a wrong sum": (
        gzip.compress(PERFECT.encode())[:-6] + b"\0\0" + gzip.compress(PERFECT.encode())[-4:],
        "is damaged",
    ),
    "gzip with something behind": (gzip.compress(PERFECT.encode()) + b"garbage", "is damaged"),
    "JSON that was cut": ('{"tokens": ["Ada"], "tags": ["O"', "file:?1?: not JSON"),
    "a broken line of JSON": ('{"tokens": ["Ada"], "tags": ["O"]}\n{"tokens": \n', r"file:2: not JSON"),
    "a key that stands twice": (
        '{"tags": ["O"]}\n{"tags": ["O"], "tags": []}\n',
        r"file:2: not JSON: 'tags' stands twice",
    ),
    "a key that stands twice in an array": ('[{"tags": ["O"],\n"tags": []}]', r"file: not JSON: 'tags' stands twice"),
    "a number for an object": ('{"entities": []}\n7\n', r"file:2: not a JSON object: 7"),
    "an array for an object": ('{"entities": []}\n[1, 2]\n', r"file:2: not a JSON object: \[1, 2\]"),
    "no labels": (rows(tokens=WORDS), r"file:1: there are no labels among 'tokens'"),
    "labels that are none": (rows(tokens=WORDS, labels=["x", "y", "z"]), 'the labels are no list: "x"'),
    "tags as numbers": (
        rows(tokens=WORDS, ner_tags=[[1, 2, 0, 1, 2, 0], [3, 0, 0, 3], [0, 0]]),
        r"file:1: the tags are numbers",
    ),
    "a tag too few": (rows(tokens=WORDS, tags=[TAGS[0][1:], *TAGS[1:]]), r"file:1: 5 tags for 6 tokens"),
    "an empty token in JSON": (rows(tokens=[["", *WORDS[0][1:]], *WORDS[1:]], tags=TAGS), r"file:1: a token is empty"),
    "a no-break space in JSON": (
        rows(tokens=[["\xa0", *WORDS[0][1:]], *WORDS[1:]], tags=TAGS),
        r"file:1: a token is white space",
    ),
    "a token that is a number": (rows(tokens=[[1, *WORDS[0][1:]], *WORDS[1:]], tags=TAGS), r"file:1: 1 is not a token"),
    "a sentence without tokens": (
        rows(tokens=[[], *WORDS[1:]], tags=[[], *TAGS[1:]]),
        r"file:1: the sentence has no tokens",
    ),
    "tokens as one text": (rows(tokens=TEXTS, tags=TAGS), "file:1: the tokens are no list"),
    "an entity that ends outside": (
        broken(0, entities=[[0, 9, "person"]]),
        r"file:1: .*ends outside the sentence, which has 6 tokens",
    ),
    "an entity that ends before it begins": (broken(0, entities=[[2, 1, "person"]]), r"file:1: not a span of tokens"),
    "an entity that begins before the sentence": (
        broken(0, entities=[[-1, 1, "person"]]),
        r"file:1: not a span of tokens",
    ),
    "an entity without a type": (broken(0, entities=[[0, 1]]), r"file:1: not an entity: \[0, 1\]"),
    "an entity with an empty type": (broken(0, entities=[[0, 1, ""]]), r"file:1: not an entity"),
    "offsets as text": (broken(0, entities=[["0", 1, "person"]]), r"file:1: not an entity"),
    "offsets with a fraction": (broken(0, entities=[[0.0, 1.5, "person"]]), r"file:1: not an entity"),
    "offsets that are true": (broken(0, entities=[[False, True, "person"]]), r"file:1: not an entity"),
    "a character offset outside": (
        rows(text=TEXTS, label=[[[0, 99, "person"]], [], []]),
        r"file:1: \[0, 99\) is no part of a text of 30 characters",
    ),
    "offsets of white space": (
        rows(text=TEXTS, label=[[[3, 4, "person"]], [], []]),
        r"file:1: the characters \[3, 4\) are white space",
    ),
    "offsets that count bytes": (
        rows(
            text=["Äda Lovelace met", "b", "c"],
            label=[[{"start": 4, "end": 13, "label": "person", "text": "Lovelace"}], [], []],
        ),
        "Äda|differ|read",
    ),
    "another text": (
        rows(text=["Ada Lovelace met Bob .", *TEXTS[1:]], label=[[], [], []]),
        r"token 4 is 'Bob' here, 'Alan' in gold",
    ),
    "tokens and characters in one file": (
        [
            {"text": TEXTS[0], "tokens": WORDS[0], "entities": [[17, 28, "person"]]},
            {"entities": [[0, 1, "location"]]},
            {"entities": []},
        ],
        "offsets count tokens, and .*: they count characters",
    ),
    "another order by tokens": (
        list(reversed(rows(tokens=WORDS, tags=TAGS))),
        r"token 1 is 'nothing' here, 'Ada' in gold",
    ),
    "brackets without end": ("[" * 100_000, "not JSON"),
    "objects without end": ('{"a":' * 100_000, "not JSON"),
    "a number without end": ('{"entities": [[' + "9" * 5000 + ', 1, "x"]]}', "not JSON|not a span|not an entity"),
    "raw that is no text": ([{"raw": 5}, {"raw": ""}, {"raw": ""}], r"file:1: 'raw' is not text"),
    "a reason that is none": (
        [{"entities": [], "rejected": [["person", "x", "because"]]}, {"raw": ""}, {"raw": ""}],
        r"file:1: no reason to reject is called 'because'",
    ),
    "a header": ("token\ttag\n" + PERFECT, r"file:1: 'tag' is not a tag"),
    "commas": (PERFECT.replace("\t", ","), r"file:1: .* found 1 column"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_what_is_wrong_and_where(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    with pytest.raises(CdnerError, match=message):
        score(tmp_path, content)


HINTS: dict[str, tuple[str | list[Any], str]] = {
    "another order": ("\n\n".join(reversed(PERFECT.strip().split("\n\n"))) + "\n", "gold's, in another order"),
    "another split": (
        PERFECT.replace("Paris", "Rome").replace("nothing", "all"),
        "1 of its 3 sentences are among gold's 3",
    ),
    "tags without tokens": ("O O\nO\n", "has the sentences of the split, in its order"),
    "a zero for O": (PERFECT.replace("\tO", "\t0"), "is the letter O"),
    "cut": (PERFECT.replace("Turing\tI-person\n.\tO\n", ""), "predict every token"),
}


@pytest.mark.parametrize("name", HINTS)
def test_a_broken_file_says_what_to_do(name: str, tmp_path: Path) -> None:
    content, hint = HINTS[name]
    with pytest.raises(CdnerError) as caught:
        score(tmp_path, content)
    assert caught.value.hint is not None
    assert hint in caught.value.hint


GOLD_FILES: dict[str, tuple[str | list[Any], str]] = {
    "two types that differ in case": (
        PERFECT.replace("France\tB-location", "France\tB-Location"),
        r"file:11: the type 'Location', and .*file:8: 'location', differ in case|file:8: the type 'location'",
    ),
    "two types that differ in a hyphen": (
        PERFECT.replace("France\tB-location", "France\tB-music-genre").replace(
            "Paris\tB-location", "Paris\tB-music genre"
        ),
        "differ in case, blanks, - or _ only",
    ),
    "an illegal tag": (
        PERFECT.replace("Lovelace\tI-person", "Lovelace\tI-location"),
        r"file:2: 'I-location' cannot follow 'B-person' in IOB2",
    ),
    "an entity that does not end": (
        in_scheme({**SINGLE, "Lovelace I-person": "E-person"}),
        r"file:6: 'O' cannot follow 'I-person' in IOBES",
    ),
    "an entity that the sentence ends": (
        "Ada\tB-x\nL\tE-x\n\nmet\tB-x\n",
        r"file:4: 'B-x' cannot end a sentence in IOBES",
    ),
    "an offset inside a token": (
        rows(text=TEXTS, label=[[[0, 11, "person"]], [], []]),
        "'Ada Lovelac' \\(person\\) is no span of tokens: it begins or ends inside a token",
    ),
    "spans that overlap": (
        rows(tokens=WORDS, entities=[[[0, 2, "person"], [1, 3, "person"]], [], []]),
        "overlaps another entity",
    ),
    "tags without tokens": ("O O\nO\n", "there are no tokens"),
    "token spans without tokens": (rows(entities=TOKENS), "there are no tokens"),
    "generated text": (rows(text=TEXTS, raw=["", "", ""]), "there are no labels"),
}


@pytest.mark.parametrize("name", GOLD_FILES)
def test_gold_is_strict(name: str, tmp_path: Path) -> None:
    content, message = GOLD_FILES[name]
    if isinstance(content, list):
        content = "".join(f"{json.dumps(record)}\n" for record in content)
    (tmp_path / "file").write_text(content)
    with pytest.raises(CdnerError, match=message):
        read_sentences(tmp_path / "file", "x/test")


def test_gold_is_the_gold_column_beside_predictions(tmp_path: Path) -> None:
    """Whatever was predicted, illegal tags included, which `score` tells; illegal gold tags are an error."""
    content = swap(EVAL, ("I-person\tI-person", "I-person\tO"), (".\tO\tO", ".\tO\tI-person"))
    (tmp_path / "file").write_text(content)
    assert read_sentences(tmp_path / "file", "x/test") == GOLD
    file = read_file(tmp_path / "file")
    (note,) = Report(file, judge_by_column(file)).file.notes
    assert note.startswith(f"{tmp_path / 'file'}:6: 'I-person' cannot follow 'O' in IOB2; what continues nothing")
    (tmp_path / "file").write_text(swap(content, (".\tO\tI-person", ".\tI-location\tO")))
    with pytest.raises(CdnerError, match="file:6: 'I-location' cannot follow 'I-person' in IOB2") as caught:
        read_sentences(tmp_path / "file", "x/test")
    assert caught.value.hint == "an entity begins with B-"


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in RIGHT
        if n
        not in (
            "JSON lines of token spans alone",
            "JSON lines of our own",
            "generated text",
            "JSON lines of tags alone",
            "tags, a line each",
            "tags, a line a sentence",
            "tags, a line a sentence, with tabs",
            "tags of IOBES, a line a sentence",
            "I- where B- is right, as conlleval reads it",
        )
    ],
)
def test_gold_may_have_every_format_with_tokens(name: str, tmp_path: Path) -> None:
    content = RIGHT[name]
    if isinstance(content, list):
        content = "".join(f"{json.dumps(record)}\n" for record in content)
    (tmp_path / "file").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert read_sentences(tmp_path / "file", "x/test") == GOLD


PLACES: dict[str, tuple[str, str, str | None]] = {
    "missing": ("gone.txt", "cannot read .*gone.txt: No such file", "file.txt"),
    "misspelt": ("fiel.txt", "cannot read", "did you mean 'file.txt'?"),
    "in a missing folder": ("gone/file.txt", "cannot read", "there is no folder"),
    "a folder": (".", "is a folder, not a file", "name a file in it: file.txt"),
    "an address": ("https://example.org/file.txt", "is an address, not a file", "download it"),
    "a null byte": ("a\0b", "is not the name of a file", None),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_is_none_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.txt").write_text(PERFECT)
    monkeypatch.chdir(tmp_path)
    path, message, hint = PLACES[name]
    with pytest.raises(CdnerError, match=message) as caught:
        read_file(Path(path))
    assert (hint or "") in (caught.value.hint or "")


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.txt").write_text(PERFECT)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert judge(read_file(Path("~/file.txt"))).scores.counts().f1 == 100


def test_brat_standoff(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS) + "\n")
    labels = [
        "T1\tperson 0 12\tAda Lovelace",
        "T2\tperson 17 28\tAlan Turing",
        "R1\tmet Arg1:T1 Arg2:T2",
        "#1\tNote T1\tx",
    ]
    labels += ["T3\tlocation 31 36\tParis", "T4\tlocation 43 49\tFrance", "A1\tNegation T1"]
    (tmp_path / "a.ann").write_text("\n".join(labels) + "\n")
    assert judge(read_file(tmp_path / "a.ann")).scores.counts().f1 == 100
    assert read_sentences(tmp_path / "a.ann", "x/test") == GOLD


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1\tperson 0 99\tAda", r"a\.ann:1: \[0, 99\) is no part of a text of 63 characters"),
        ("T1 person 0 12 Ada", r"a\.ann:1: not a label"),
        ("T1\tperson 0 3;4 12\tAda Lovelace", r"'Ada Lovelace' \(person\) is no span of tokens: it is discontinuous"),
        ("T1\tperson 0 3;17 21\tAda Alan", r"'Ada Alan' \(person\) is no span of tokens: it is discontinuous"),
        ("T1\tperson 0 3;17 21\tAda Turing", r"a\.ann:1: .* read 'Ada Alan', and the file says 'Ada Turing'"),
        ("T1\tperson 0 3;17 99\tAda Alan", r"a\.ann:1: \[17, 99\) is no part of a text of 63 characters"),
        ("T1\tperson 17 36\t", r"'Alan Turing \. Paris' \(person\) .* it crosses the end of a sentence"),
        ("T1\tperson 17 36\tAlan Turing . Paris", "it crosses the end of a sentence"),
        ("T1\tperson 30 31\t", r"a\.ann:1: the characters \[30, 31\) are white space"),
        ("T1\tperson 0 3\tBob", r"a\.ann:1: the characters \[0, 3\) read 'Ada', and the file says 'Bob'"),
    ],
)
def test_broken_standoff(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS) + "\n")
    (tmp_path / "a.ann").write_text(line + "\n")
    with pytest.raises(CdnerError, match=message):
        read_sentences(tmp_path / "a.ann", "x/test")


def test_a_label_that_begins_on_an_empty_line(tmp_path: Path) -> None:
    """White space around it is left out; one of nothing else is an error."""
    (tmp_path / "a.txt").write_text("Ada met\n\nParis\n")
    (tmp_path / "a.ann").write_text("T1\tlocation 8 14\t Paris\n")
    assert [s.entities for s in read_sentences(tmp_path / "a.ann", "x")] == [(), (Entity(0, 1, "location"),)]
    (tmp_path / "a.ann").write_text("T1\tlocation 9 14\tParis\nT2\tlocation 8 9\t\n")
    with pytest.raises(CdnerError, match=r"a\.ann:2: the characters \[8, 9\) are white space"):
        read_file(tmp_path / "a.ann")


@pytest.mark.parametrize("start", [8, 9])
def test_offsets_may_count_windows_line_ends_or_not(start: int, tmp_path: Path) -> None:
    """Whichever the words that the labels read fit to; where they fit neither, the hint names line ends."""
    (tmp_path / "a.txt").write_bytes(b"Ada met\r\nParis\r\n")
    label = f"T1\tlocation {start} {start + 5}\tParis\n"
    (tmp_path / "a.ann").write_text(label)
    assert [s.entities for s in read_sentences(tmp_path / "a.ann", "x")] == [(), (Entity(0, 1, "location"),)]
    (tmp_path / "a.ann").write_text(label.replace("Paris", "Rome"))
    with pytest.raises(CdnerError, match="and the file says 'Rome'") as caught:
        read_file(tmp_path / "a.ann")
    assert "a line end as the text has it" in (caught.value.hint or "")


def test_standoff_without_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_text("T1\tperson 0 12\tAda Lovelace\n")
    with pytest.raises(CdnerError, match="has no text") as caught:
        read_file(tmp_path / "a.ann")
    assert caught.value.hint == "put a.txt beside it"


@pytest.mark.parametrize(
    ("content", "options", "f1"),
    [
        (EVAL, {"format": "columns"}, 100.0),
        (CONLL.replace("-DOCSTART- -X- -X- O\n\n", ""), {"format": "columns"}, 100.0),
        (rows(text=TEXTS, tokens=WORDS, entities=TOKENS), {"format": "token-spans"}, 100.0),
        (rows(text=TEXTS, tokens=WORDS, entities=CHARACTERS), {"format": "character-spans"}, 100.0),
        (PERFECT.replace("B-", "").replace("I-", ""), {"scheme": "IO"}, 100.0),
        (PERFECT, {"scheme": "BIO"}, 100.0),
        (in_scheme({**SINGLE, **ENDS}), {"scheme": "bioes"}, 100.0),
    ],
)
def test_format_and_scheme_can_be_named(content: str, options: Mapping[str, str], f1: float, tmp_path: Path) -> None:
    assert score(tmp_path, content, **options).scores.counts().f1 == f1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "conll"}, "there is no format 'conll'"),
        ({"scheme": "BIOX"}, "there is no scheme 'BIOX'"),
        ({"scheme": "IO"}, "'B-person' is no tag of the scheme IO"),
        ({"format": "json"}, "not JSON"),
        ({"format": "conlleval"}, "has 2 columns"),
        ({"format": "tags"}, "is not a tag"),
        ({"format": "brat"}, "has no text"),
    ],
)
def test_a_wrong_format_is_said(options: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(CdnerError, match=message) as caught:
        score(tmp_path, PERFECT, **options)
    assert caught.value.hint


def test_a_bracket_as_the_first_token_is_no_json(tmp_path: Path) -> None:
    for token in ("{", "[", "[1]", '{"a"}'):
        (tmp_path / "file").write_text(f"{token}\tO\n" + PERFECT)
        tokens = read_file(tmp_path / "file").items[0].tokens
        assert tokens is not None
        assert tokens[0] == token


def test_the_files_are_many() -> None:
    tables: tuple[Sized, ...] = (RIGHT, WRONG, REMARKS, BROKEN, HINTS, GOLD_FILES, PLACES)
    assert sum(map(len, tables)) >= 150
