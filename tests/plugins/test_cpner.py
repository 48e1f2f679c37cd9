"""cp-ner, on tiny random models and real sentences of the sample."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Corpus, Entity, Prediction, Sentence, plugins  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError, DataError, OptionError  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_cpner import mixing, spots  # noqa: E402
from cdner_cpner.method import CpNer  # noqa: E402
from cdner_cpner.options import CpNerOptions, Own, Prefix, Source, Target  # noqa: E402
from cdner_torch import loop, prefixes  # noqa: E402
from cdner_torch.options import Decoding  # noqa: E402
from cdner_torch.prefixes import KINDS, Fixed, Learnt, Shape  # noqa: E402
from cdner_torch.weights import restore  # noqa: E402
from support import Nobody, change, context  # noqa: E402

TYPES = ("field", "program-lang", "person")
SENTENCE = Sentence("s", ("Ada", "met", "Ada", "in", "C", "."), (Entity(0, 1, "person"), Entity(4, 5, "program-lang")))
SHAPES = {kind: Shape(2, 2, 3, 6) for kind in KINDS}


def options(place: str, **chosen: object) -> CpNerOptions:
    base = CpNerOptions(
        backbone=place,
        prefix=Prefix(length=3, hidden=8),
        source=Source(epochs=1, learning_rate=1e-2, sentences=8),
        own=Own(epochs=1, learning_rate=1e-2),
        target=Target(epochs=2, learning_rate=1e-2, batch_size=8),
        decoding=Decoding(max_answer=8),
    )
    made: CpNerOptions = change(base, network={"precision": "fp32"}, **chosen)
    return made


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus) -> Corpus:
        return replace(corpus.without_test(), train=corpus.train[:12], dev=corpus.dev[:4])

    return [cut(mini.corpus(n)) for n in ("news", "music")], cut(mini.corpus("ai"))


# --- spots -----------------------------------------------------------------------------------------------------------


def marked(text: str) -> str:
    """`( person = Ada )` with the marks of spots."""
    marks = {"(": spots.OPEN, ")": spots.CLOSE, "=": spots.IS, "-": spots.NOTHING}
    return " ".join(marks.get(word, word) for word in text.split())


def test_what_is_asked_and_said() -> None:
    assert spots.ask(SENTENCE, TYPES) == "<extra_id_2> Ada met Ada in C ."
    assert spots.answer(SENTENCE) == marked("( ( person = Ada ) ( program-lang = C ) )")
    assert spots.answer(Sentence("s", ("no", "one"))) == marked("( )")


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize(
    ("said", "found", "rejected"),
    [
        ("( ( person = Ada ) ( program-lang = C ) )", [(0, 1, "person"), (4, 5, "program-lang")], []),
        ("( ( person = Ada ) ( person = Ada ) )", [(0, 1, "person"), (2, 3, "person")], []),
        ("( )", [], []),
        ("", [], []),
        ("( ( field = - ) ( person = Ada ) )", [(0, 1, "person")], []),
        ("( ( program - lang = C ) )".replace(" - ", "- "), [(4, 5, "program-lang")], []),
        ("( ( person = Bob ) )", [], [("person", "Bob", "not in sentence")]),
        ("( ( city = Ada ) )", [], [("city", "Ada", "unknown type")]),
        ("( ( person = Ada ) ( person = C", [(0, 1, "person")], [("?", "person <extra_id_5> C", "malformed")]),
        ("( ( = Ada ) )", [], [("?", "<extra_id_5> Ada", "malformed")]),
        ("( ( person = Ada ) so there )", [(0, 1, "person")], [("?", "so there", "malformed")]),
        ("( ( person Ada ) )", [], [("?", "person Ada", "malformed")]),
    ],
)
def test_spots_are_placed_and_nothing_said_is_lost(
    said: str, found: list[tuple[int, int, str]], rejected: list[tuple[str, str, str]], fold: bool
) -> None:
    if fold:
        said = said.lower()
        rejected = [(kind, words.lower(), reason) for kind, words, reason in rejected]
    prediction = spots.read(marked(said), SENTENCE, TYPES, fold=fold)
    assert [(e.start, e.end, e.type) for e in prediction.entities] == found
    assert [(r.type, r.text, str(r.reason)) for r in prediction.rejected] == rejected


def test_gold_comes_back_from_its_own_answer(mini: Benchmark) -> None:
    for domain in ("ai", "science"):
        corpus = mini.corpus(domain)
        for s in corpus.train:
            assert spots.read(spots.answer(s), s, corpus.types).entities == tuple(sorted(s.entities))


def test_records_of_nothing_have_types_that_the_sentence_lacks() -> None:
    long = replace(SENTENCE, entities=tuple(Entity(n, n + 1, "person") for n in range(6)))
    said = [spots.answer_noisily(long, TYPES, 0.5, random.Random(n)) for n in range(300)]
    nothing = [text.count(spots.NOTHING) for text in said]
    assert 2.7 < sum(nothing) / len(nothing) < 3.3
    assert {kind for text in said for kind in TYPES if f"{kind} {spots.IS} {spots.NOTHING}" in text} == {
        "field", "program-lang",
    }  # fmt: skip
    assert all(spots.read(text, long, TYPES).entities == long.entities for text in said)
    assert spots.answer_noisily(long, ["person"], 0.9, random.Random(0)) == spots.answer(long)


# --- prefixes of several domains -------------------------------------------------------------------------------------


def test_one_source_is_averaged_weight_by_weight_and_the_rest_is_the_target_s() -> None:
    target = {"prefixes.encoder.0.weight": torch.tensor([1.0]), "shared.weight": torch.tensor([5.0])}
    source = {"prefixes.encoder.0.weight": torch.tensor([3.0]), "shared.weight": torch.tensor([9.0])}
    assert {name: w.item() for name, w in mixing.mean(target, source).items()} == {
        "prefixes.encoder.0.weight": 2.0, "shared.weight": 5.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("similarities", "shares"),
    [([0.2, 0.6], [0.25, 0.75]), ([-0.5, 0.4], [0.0, 1.0]), ([-0.5, -0.1], [0.5, 0.5]), ([0.3], [1.0])],
)
def test_shares_are_of_one_and_none_is_negative(similarities: list[float], shares: list[float]) -> None:
    assert mixing.share(torch.tensor(similarities)).tolist() == pytest.approx(shares, abs=1e-6)


def combined(sources: int, labels: list[float]) -> tuple[mixing.Combined, list[Fixed]]:
    torch.manual_seed(0)
    fixed = [prefixes.fix(Learnt(SHAPES, 4, 5, 0.0)) for _ in range(sources)]
    return mixing.Combined(Learnt(SHAPES, 4, 5, 0.0), fixed, torch.tensor(labels), 7), fixed


@torch.no_grad()  # type: ignore[untyped-decorator]
def test_several_sources_are_combined_as_the_equation_says() -> None:
    made, sources = combined(3, [0.5, 0.3, 0.2])

    def mean(prefix: prefixes.Prefixes) -> Any:
        rows = [
            torch.cat([prefix(kind)[layer, n, head, place] for head in range(2)])
            for kind in KINDS
            for layer in range(2)
            for n in range(2)
            for place in range(4)
        ]
        return sum(rows) / len(rows)

    assert torch.allclose(mixing.average(made.own), mean(made.own), atol=1e-6)
    alike = [
        max(0.0, torch.nn.functional.cosine_similarity(made.compared(mean(made.own)), made.compared(mean(s)), dim=0))
        for s in sources
    ]
    shares = [(float(a / sum(alike)) + b) / 2 for a, b in zip(alike, (0.5, 0.3, 0.2), strict=True)]
    assert made.shares().tolist() == pytest.approx(shares, abs=1e-5)
    for kind in KINDS:
        whole = sum(share * source(kind) for share, source in zip(shares, sources, strict=True))
        assert torch.allclose(made(kind), (made.own(kind) + whole) / 2, atol=1e-5)


def test_the_target_s_side_of_the_comparison_learns_nothing() -> None:
    made, _ = combined(2, [0.5, 0.5])
    made.shares()[0].backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is None for p in made.own.parameters())
    assert any(p.grad is not None and p.grad.any() for p in made.compared.parameters())
    assert all(not name.startswith("of_sources") for name, _ in made.named_parameters())


# --- the method ------------------------------------------------------------------------------------------------------


def learn(method: CpNer, sources: list[Corpus], target: Corpus, folder: Path) -> list[Prediction]:
    run = context(folder)
    method.fit(sources, target, run)
    assert run.model.trained < run.model.total
    return list(method.predict([s.unlabeled() for s in target.dev], run))


@pytest.mark.parametrize(("count", "kind"), [(0, "tiny_t5"), (1, "tiny_bart"), (2, "tiny_t5")])
def test_an_interrupted_run_ends_as_an_undisturbed_one(
    count: int,
    kind: str,
    domains: tuple[list[Corpus], Corpus],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in every stage, without sources, with one and with several; then kept, and read again."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains[0][:count], domains[1]
    chosen = options(request.getfixturevalue(kind))
    seen: list[tuple[str, int]] = []

    class Interrupted(Nobody):
        name = ""
        left: set[str] = set()  # noqa: RUF012

        def phase(self, name: str) -> None:
            self.name = name

        def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
            seen.append((self.name, step))
            if self.name in self.left:
                self.left.remove(self.name)
                raise KeyboardInterrupt

    whole = CpNer(chosen)
    said = learn(whole, sources, target, tmp_path / "whole")
    stages = {"own", *(f"source {s.name}" for s in sources), *(["target"] if sources else [])}
    observer, kills = Interrupted(), 0
    observer.left = set(stages)
    method = CpNer(chosen)
    while True:
        run = replace(context(tmp_path / "killed"), observer=observer)
        try:
            method.fit(sources, target, run)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills == len(stages)
    assert {name for name, _ in seen} == stages
    one, other = whole.model.state(), method.model.state()
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert list(method.predict([s.unlabeled() for s in target.dev], context(tmp_path))) == said

    (tmp_path / "model").mkdir()
    whole.save(tmp_path / "model")
    again = CpNer(chosen)
    again.load(tmp_path / "model", target.types, context(tmp_path))
    assert list(again.predict([s.unlabeled() for s in target.dev], context(tmp_path))) == said


def test_the_backbone_stays_as_it_is_and_embeddings_if_one_likes(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    for frozen in (False, True):
        method = CpNer(options(tiny_t5, prefix={"freeze_embeddings": frozen}))
        learn(method, [], domains[1], tmp_path / str(frozen))
        before, network = restore(Path(tiny_t5)), method.model.network
        now = {name: p for name, p in network.named_parameters() if not name.startswith("prefixes.")}
        changed = {name for name, p in now.items() if not torch.equal(p, before[name])}
        assert changed == (set() if frozen else {"shared.weight"})


def test_odd_domains_are_learnt(tiny_t5: str, mini: Benchmark, tmp_path: Path) -> None:
    """A target of one type, whose name is no word; a source with a type that the target lacks, and without a dev."""
    ai = mini.corpus("ai").without_test()
    target = replace(ai, types=("—",), train=tuple(_with_one_type(s, "—") for s in ai.train[:6]), dev=())
    sources = [
        replace(mini.corpus(name).without_test(), train=mini.corpus(name).train[:4], dev=())
        for name in ("news", "music")
    ]
    said = learn(CpNer(options(tiny_t5)), sources, replace(target, dev=()), tmp_path)
    assert said == []
    method = CpNer(options(tiny_t5))
    run = context(tmp_path / "again")
    method.fit(sources, target, run)
    (prediction,) = method.predict([Sentence("x", ("word",) * 700)], run)
    assert {e.type for e in prediction.entities} <= {"—"}


@pytest.mark.parametrize("of_target", [True, False])
def test_a_domain_without_types_is_compared_with_others(
    of_target: bool, tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    """The labels of none are like those of no other."""
    sources, target = domains
    if of_target:
        target = _without_types(target)
    else:
        sources = [sources[0], _without_types(sources[1])]
    CpNer(options(tiny_t5)).fit(sources, target, context(tmp_path))


def _without_types(corpus: Corpus) -> Corpus:
    train, dev = (tuple(s.unlabeled() for s in split) for split in (corpus.train, corpus.dev))
    return replace(corpus, types=(), train=train, dev=dev)


def _with_one_type(sentence: Sentence, kind: str) -> Sentence:
    return replace(sentence, entities=tuple(replace(e, type=kind) for e in sentence.entities))


def test_a_type_with_a_comma_is_carried_by_spots_and_refused_as_an_item(tiny_t5: str, tmp_path: Path) -> None:
    """A spot ends its type with a mark, an item with a comma."""
    sentence = _with_one_type(SENTENCE, "art, song")
    target = Corpus("t", ("art, song",), train=(sentence,), dev=())
    assert spots.read(spots.answer(sentence), sentence, target.types).entities == sentence.entities
    CpNer(options(tiny_t5)).fit([], target, context(tmp_path / "spots"))
    with pytest.raises(DataError, match="cannot be carried by text: it has a comma"):
        CpNer(options(tiny_t5, finetuning={"wording": "items"})).fit([], target, context(tmp_path / "items"))


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_llama"])
def test_a_backbone_that_is_no_encoder_decoder_is_refused(
    kind: str, domains: tuple[list[Corpus], Corpus], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with pytest.raises(CdnerError, match=r"generates no text|does not fit") as told:
        CpNer(options(request.getfixturevalue(kind))).fit([], domains[1], context(tmp_path))
    assert "encoder-decoder" in (told.value.hint or "")


def test_answers_of_spans_are_items(tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    chosen = options(tiny_t5, decoding={"answers": "spans"})
    with pytest.raises(OptionError, match="allows items only") as told:
        CpNer(chosen).fit([], domains[1], context(tmp_path))
    assert "finetuning.wording=items" in (told.value.hint or "")
    items = change(chosen, finetuning={"wording": "items"}, own={"epochs": 2}, decoding={"max_answer": 40})
    for prediction in learn(CpNer(items), [], domains[1], tmp_path):
        assert all(rejected.reason != "not in sentence" for rejected in prediction.rejected)


@pytest.mark.slow
def test_the_contract_is_kept(tiny_t5: str) -> None:
    entry = plugins.discover().get("cp-ner")
    chosen: dict[str, Any] = {
        "backbone": tiny_t5, "own.epochs": 1, "target.epochs": 1, "prefix.hidden": 8, "decoding.max_answer": 8,
    }  # fmt: skip
    assert [check for check in conformance.check(entry, chosen) if check.problem] == []
