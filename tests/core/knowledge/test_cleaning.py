"""Rules clean explanations, are data, and leave alone what is clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdner_bench import Corpus, Entity, Sentence, gtok
from cdner_bench.data import Benchmark
from cdner_bench.errors import DataError
from cdner_bench.knowledge import Explanation, Record, cleaning, leaks
from cdner_bench.knowledge.cleaning import Rules, clean, read_rules
from cdner_bench.knowledge.leaks import HELD_OUT, NO_GOLD, SENTENCE, HeldOut

TEXT = "Ada met Alan ."
CORPUS = Corpus(
    "tiny",
    ("person", "place"),
    train=(Sentence("t", tuple(TEXT.split()), (Entity(0, 1, "person"), Entity(2, 3, "person"))),),
    test=(Sentence("e", ("Bob", "waits"), (Entity(0, 1, "person"),)),),
)


def explained(*texts: str, kind: str = "person") -> Record:
    return Record(TEXT, tuple(Explanation(TEXT, "Ada", kind, text) for text in texts))


@pytest.fixture(scope="module")
def shipped() -> Rules:
    return read_rules()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("She is! A person!", "She is. A person."),
        ("A person. Thank you for asking! Yes.", "A person. Yes."),
        ("Thank you for asking me. A person.", " A person."),
        ("A person.\n\nThank you for asking.", "A person."),
        ("A person.\nI'm here to help, and gladly", "A person."),
        ("A person. Why? I'm here to help.", "A person. Why?"),
        ('A person. "Thank you for asking." Yes.', "A person. Yes."),
        ("She sang Thank you for the music. Yes.", "She sang Thank you for the music. Yes."),
        ('The span "Ada" is "a person"', "The span Ada is a person"),
        ("One.\nTwo.\r\nThree.\rFour.", "One. Two. Three. Four."),
        ("Thank you for x. Thank you for y. Then.", " Then."),
        ("A person, of course.  Two spaces.", "A person, of course.  Two spaces."),
    ],
)
def test_what_the_shipped_rules_replace(text: str, cleaned: str, shipped: Rules) -> None:
    assert shipped.replace(text)[0] == cleaned


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("She is. However, no.", "however"),
        ("She is, however.", "however"),
        ("It is not appropriate.", "not appropriate"),
        ("That is not accurate.", "not accurate"),
        ("Well, I cannot say.", "I cannot"),
        ('"\n"', "empty"),
        ("Thank you for asking.", "empty"),
        ("However, I cannot say", "however"),
        ("HOWEVER, it is no \n t accurate, and she cannot", None),
    ],
)
def test_what_the_shipped_rules_drop(text: str, rule: str | None, shipped: Rules) -> None:
    assert shipped.find_drop(shipped.replace(text)[0]) == rule


PIECES = [
    *("!", '"', "\n", "\r\n", ".", "?", " ", "Thank you for", "I'm here to", "Th", "ank you for", "However", "how"),
    *("ever", "not ", "accurate", "appropriate", "I cannot", "Bob", "Bo", "b", "person"),
]
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=40))


@given(st.lists(st.lists(TEXTS, max_size=4), max_size=4), st.booleans())
def test_cleaning_is_idempotent_and_counts_add_up(texts: list[list[str]], with_corpus: bool) -> None:
    rules, held_out = read_rules(), HeldOut(CORPUS) if with_corpus else None
    records = [explained(*some) for some in texts]
    once, report = clean(records, rules, held_out)
    dropped = sum(e.types.total() for e in report.effects if e.action == "dropped")
    assert (report.records, report.explanations[0]) == ((len(records), len(once)), sum(map(len, texts)))
    assert report.explanations[1] == sum(len(r.explanations) for r in once) == report.explanations[0] - dropped
    assert all(r.explanations for r in once)
    again, nothing = clean(once, rules, held_out)
    assert again == once
    assert not any(e.types for e in nothing.effects)
    if held_out is not None:
        assert not list(held_out.find_leaks(once))


def test_what_is_clean_and_its_order_stay() -> None:
    records = [explained("One person.", "Two  persons. "), explained("A place.", kind="place")]
    assert clean(records, read_rules())[0] == records


def test_leaks_are_dropped_under_their_own_name() -> None:
    alien = Record("Bob waits", (Explanation("Bob waits", "Bob", "person", "He waits."),))
    records = [explained("She knew Bob.", "She is.", "Bob, however"), explained("A place.", kind="place"), alien]
    kept, report = clean(records, read_rules(), HeldOut(CORPUS))
    assert kept == [explained("She is.")]
    counts = {e.name: dict(e.types) for e in report.effects if e.types}
    assert counts == {
        "however": {"person": 1},
        HELD_OUT: {"person": 1},
        NO_GOLD: {"place": 1},
        SENTENCE: {"person": 1},
    }
    assert {e.name for e in clean(records, read_rules())[1].effects}.isdisjoint(leaks.REASONS)


def test_the_report_says_what_each_rule_did(tmp_path: Path) -> None:
    path, out, report = tmp_path / "g.json", tmp_path / "out.json", tmp_path / "deep" / "report.json"
    gtok.write(path, [explained("Yes! She is.", "I cannot"), Record(TEXT, ())])
    cleaning.clean_file(path, out, read_rules(), CORPUS, report)
    said = json.loads(report.read_text())
    assert (said["records"], said["explanations"]) == ({"before": 2, "after": 1}, {"before": 2, "after": 1})
    assert all(len(said[f"{what}_sha256"]) == 64 for what in ("input", "rules", "output"))
    counts = {r["name"]: (r["action"], r["explanations"], r["types"]) for r in said["rules"]}
    assert counts["exclamation marks"] == ("changed", 1, {"person": 1})
    assert counts["I cannot"] == ("dropped", 1, {"person": 1})
    assert counts[HELD_OUT] == ("dropped", 0, {})
    assert all(r["reason"] for r in said["rules"])
    cleaning.clean_file(out, out, read_rules(), CORPUS)
    assert gtok.records(out) == [explained("Yes. She is.")]


def test_an_empty_corpus_is_not_written(tmp_path: Path) -> None:
    path, out = tmp_path / "g.json", tmp_path / "out.json"
    gtok.write(path, [explained("I cannot", "I cannot", "However")])
    with pytest.raises(DataError, match="leave none of its 3 explanations") as caught:
        cleaning.clean_file(path, out, read_rules())
    assert "I cannot (2), however (1)" in str(caught.value.hint)
    assert not out.exists()


# --- rule files ------------------------------------------------------------------------------------------------------

RULE = 'name = "no x"\npattern = "x"\nreason = "x"\n'


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (f"[[drop]]\n{RULE}patern = 'y'", "unknown key rule 'no x': patern", "did you mean 'pattern'?"),
        (f"[[drop]]\n{RULE}with = 'y'", "unknown key rule 'no x': with", None),
        (f"[[replace]]\n{RULE}", "rule 'no x': with is missing", None),
        ("[[drop]]\nname = 'a'\npattern = 'x'", "rule 'a': reason is missing", None),
        ("[[drop]]\nname = 'a'\nreason = 'x'", "rule 'a': pattern is missing", None),
        (f"[[drop]]\n{RULE}[[drop]]\npattern = 'x'\nreason = 'x'", "drop rule 2: name is missing", None),
        ("[[drop]]\nname = 'a'\npattern = '('\nreason = 'x'", "rule 'a': pattern '(' is no regular", "single quotes"),
        ("[[drop]]\nname = 'a'\npattern = 3\nreason = 'x'", "rule 'a': pattern cannot be 3", None),
        (f"[[drop]]\n{RULE}[[replace]]\n{RULE}with = ''", "rule 'no x' is there already", None),
        (f"[[drop]]\n{RULE.replace('no x', HELD_OUT)}", f"rule '{HELD_OUT}' is there already", None),
        (f"[[droop]]\n{RULE}", "unknown key droop", "did you mean 'drop'?"),
        ("drop = 3", "drop is no array of tables", "begin each with [[drop]]"),
        ("", "has no rules", "[[replace]]"),
        ("[[", "is not TOML", None),
    ],
)
def test_a_bad_rule_is_named(tmp_path: Path, content: str, said: str, hint: str | None) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_rules(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert hint is None or hint in str(caught.value.hint)


def test_a_missing_rule_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*gone\.toml"):
        read_rules(tmp_path / "gone.toml")


@pytest.mark.parametrize(("pattern", "text"), [("x", "xx"), ("x*", "y"), ("^(?=y*x)", "y")])
def test_a_replacement_that_never_settles_is_named(tmp_path: Path, pattern: str, text: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"[[replace]]\nname = 'grows'\npattern = '{pattern}'\nwith = '{text}'\nreason = 'none'")
    with pytest.raises(DataError, match="rule 'grows' changes its own result"):
        read_rules(path).replace("x")


def test_replacements_are_literal(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(r"""[[replace]]
name = "slash"
pattern = "/"
with = '\1 \g<0> \n'
reason = "none"
""")
    assert read_rules(path).replace("a/b")[0] == r"a\1 \g<0> \nb"


# --- the corpora -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ai", "literature", "music", "politics", "science"])
def test_the_shipped_corpora_lose_nothing(name: str, mini: Benchmark) -> None:
    """Those by hand lose the exclamation marks of "Jeopardy !" and "Human Rights Now !", but no explanation."""
    corpus = mini.corpus(name)
    for resource in ("gtok", "gtok-by-hand"):
        records = gtok.records(corpus.resources[resource])
        cleaned, report = clean(records, read_rules(), HeldOut(corpus))
        changed = {e.name: e.types.total() for e in report.effects if e.types}
        loses = resource == "gtok-by-hand" and name in ("ai", "music")
        assert changed == ({"exclamation marks": 1} if loses else {})
        assert sum(a != b for a, b in zip(cleaned, records, strict=True)) == sum(changed.values())


@pytest.mark.parametrize(
    ("name", "drops", "records"),
    [
        ("ai", {"however": 47, "not accurate": 1}, (100, 93)),
        ("literature", {"I cannot": 7}, (100, 95)),
        ("music", {"I cannot": 4}, (100, 99)),
        ("politics", {}, (165, 165)),
        ("science", {"I cannot": 5}, (200, 179)),
    ],
)
def test_the_released_corpora_were_not_cleaned_by_all_rules(
    name: str, drops: dict[str, int], records: tuple[int, int], crossner: Benchmark
) -> None:
    path = crossner.corpus(name).resources.get("gtok")
    if path is None:
        pytest.skip("the released GTOK corpora are not here")
    _, report = clean(gtok.records(path), read_rules())
    assert {e.name: e.types.total() for e in report.effects if e.types} == drops
    assert report.records == records
