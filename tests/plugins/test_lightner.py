"""lightner, on a tiny random model and real sentences of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from transformers import AutoTokenizer  # noqa: E402

from cdner_bench import Corpus, Cut, Entity, Sentence, plugins  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError, DataError  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_lightner import encoding, model  # noqa: E402
from cdner_lightner.method import LightNer  # noqa: E402
from cdner_lightner.options import LightNerOptions, Source, Target  # noqa: E402
from cdner_torch import backbones, loop, prefixes  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from cdner_torch.lengths import TokenLimits  # noqa: E402
from cdner_torch.options import Prefix  # noqa: E402
from cdner_torch.weights import restore  # noqa: E402
from support import KillerOfSeconds, change, context, fit_stubbornly  # noqa: E402

FP32 = Compute("cpu", "fp32")
TYPES = ("person", "programlang", "field")
SENTENCE = Sentence(
    "s", ("Ada", "Lovelace", "met", "Ada", "in", "C", "."), (Entity(0, 2, "person"), Entity(5, 6, "programlang"))
)


def options(place: str, **chosen: object) -> LightNerOptions:
    base = LightNerOptions(
        backbone=place,
        prefix=Prefix(length=3, hidden=8),
        source=Source(epochs=1, learning_rate=1e-2, sentences=8, batch_size=8),
        target=Target(epochs=2, learning_rate=1e-2, batch_size=8),
    )
    made: LightNerOptions = change(base, network={"precision": "fp32", "head_dropout": 0.1}, **chosen)
    return made


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus) -> Corpus:
        return replace(corpus.without_test(), train=corpus.train[:12], dev=corpus.dev[:4])

    return [cut(mini.corpus(n)) for n in ("news", "music")], cut(mini.corpus("ai"))


@pytest.fixture(scope="module")
def tokenizer(tiny_bart: str) -> Any:
    return backbones.read_frame(tiny_bart).tokenizer


@pytest.fixture
def pointer(tiny_bart: str, tokenizer: Any) -> model.Pointer:
    network = backbones.load(tiny_bart, FP32, TokenLimits(), 0.0).network
    torch.manual_seed(0)
    prefixes.attach(network, prefixes.Learnt(prefixes.measure(network), 3, 8, 0.0))
    encoder = encoding.Encoder(tokenizer, 1, 64, TYPES)
    allowed = [[True, True, True], [True, False, True]]
    return model.Pointer(model.Pointing(network, encoder.names, encoder.after[0], allowed, 0.0), encoder, FP32)


# --- what is said ----------------------------------------------------------------------------------------------------


def test_an_answer_is_places_where_words_begin_and_labels(tokenizer: Any) -> None:
    encoder = encoding.Encoder(tokenizer, 1, 64, TYPES)
    (source,) = encoder.sources([SENTENCE], gold=True)
    first = [source.words.index(word) for word in range(7)]
    assert source.first == tuple(first)
    places = [n + 1 + len(TYPES) for n in first]
    assert source.said == (places[0], places[1], 1, places[5], 2, encoding.END)
    batch = encoder.collate([source])
    read = [source.ids[first[0]], source.ids[first[1]], encoder.names[0][0], source.ids[first[5]], encoder.names[1][0]]
    assert batch.decoded.tolist() == [[1, *read]]
    assert batch.labels.tolist() == [list(source.said)]
    assert batch.places.sum() == source.end == len(source.ids) - 1
    assert encoder.read(source.said, source, SENTENCE).entities == SENTENCE.entities


@pytest.mark.parametrize(
    ("said", "found", "rejected"),
    [
        ("0 1 person 5 programlang .", [(0, 2, "person"), (5, 6, "programlang")], []),
        (".", [], []),
        ("0 person 0 person .", [(0, 1, "person")], [("person", "Ada", "repeat")]),
        ("0 1 person 1 field .", [(0, 2, "person")], [("field", "Lovelace", "occupied")]),
        ("0 2 person .", [], [("person", "Ada met", "malformed")]),
        ("1 0 person .", [], [("person", "Lovelace Ada", "malformed")]),
        ("0 0 person .", [], [("person", "Ada", "malformed")]),
        ("person .", [], [("person", "", "malformed")]),
        ("0 person 5 .", [(0, 1, "person")], [("?", "C", "malformed")]),
        ("0 person 5", [(0, 1, "person")], [("?", "C", "malformed")]),
    ],
)
def test_answers_are_read(
    said: str, found: list[tuple[int, int, str]], rejected: list[tuple[str, str, str]], tokenizer: Any
) -> None:
    encoder = encoding.Encoder(tokenizer, 1, 64, TYPES)
    (source,) = encoder.sources([SENTENCE])

    def number(word: str) -> int:
        if word in TYPES:
            return 1 + TYPES.index(word)
        return encoding.END if word == "." else 1 + len(TYPES) + source.first[int(word)]

    prediction = encoder.read([number(word) for word in said.split()], source, SENTENCE)
    assert [(e.start, e.end, e.type) for e in prediction.entities] == found
    assert [(r.type, r.text, str(r.reason)) for r in prediction.rejected] == rejected
    assert bool(prediction.cut) == ("." not in said)


def test_special_places_and_pieces_inside_words(tokenizer: Any) -> None:
    encoder = encoding.Encoder(tokenizer, 1, 64, TYPES)
    long = Sentence("s", ("antidisestablishmentarianism", "x"))
    (source,) = encoder.sources([long])
    assert source.words.count(0) > 2
    inside = [1 + len(TYPES) + place for place in (0, 2)]
    assert encoder.read([*inside, 1, 0], source, long).entities == (Entity(0, 1, "person"),)
    special = 1 + len(TYPES) + source.end
    assert encoder.read([special, 1, 0], source, long).entities == ()


def test_a_sentence_is_cut_to_what_is_read(tokenizer: Any) -> None:
    encoder = encoding.Encoder(tokenizer, 1, 12, TYPES)
    long = replace(SENTENCE, tokens=SENTENCE.tokens * 9, entities=(Entity(0, 2, "person"), Entity(50, 51, "field")))
    whole = Sentence("w", ("x" * 400, "y"))
    cut, huge, odd = encoder.sources([long, whole, Sentence("o", ("\u200b", "a"))], gold=True)
    assert max(len(cut.ids), len(huge.ids)) <= 12
    assert len(cut.said) == 4
    said = encoder.read(cut.said, cut, long)
    assert said.entities == (Entity(0, 2, "person"),)
    assert said.unseen == len(long.tokens) - len(cut.first) > 0
    assert huge.first == (0,)
    assert len(odd.first) == 2


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("person", "\u200b"), r"'\\u200b' has no name that the backbone can read"),
        (("person", "田"), "'田' has no name"),
        (("person", "--"), "'--' has no name"),
        (("new-type", "new_type"), "'new-type' and 'new_type' are one to the backbone"),
    ],
)
def test_a_type_without_a_name_of_its_own_is_refused(types: Sequence[str], said: str, tiny_bert: str) -> None:
    with pytest.raises(DataError, match=said) as told:
        encoding.name_pieces(AutoTokenizer.from_pretrained(tiny_bert), types)
    assert "rename" in (told.value.hint or "")


# --- pointing --------------------------------------------------------------------------------------------------------


def test_logits_are_those_of_the_equations(pointer: model.Pointer) -> None:
    """Sentence by sentence and step by step: end, labels by their pieces, places by what is there."""
    network, encoder = pointer.network.eval(), pointer.encoder
    sources = [
        *encoder.sources([SENTENCE], 0, gold=True),
        *encoder.sources([Sentence("t", ("Ada", "."), (Entity(0, 1, "field"),))], 1, gold=True),
    ]
    batch = encoder.collate(sources)
    with torch.no_grad():
        logits = network(batch)
        hidden = network.encode(batch.ids, batch.mask)
        states, _ = network.decode(batch.decoded, hidden, batch.mask, past=False)
        table, weights = network.embeddings, network.weights
        for n, source in enumerate(sources):
            for step in range(len(source.said)):
                z = states[n, step]
                assert logits[n, step, 0].item() == pytest.approx((z @ table[encoder.after[0]]).item(), abs=1e-4)
                for row, ids in enumerate(encoder.names):
                    shares = weights[row, : len(ids)].softmax(0)
                    label = sum(share * (z @ table[i]) for share, i in zip(shares, ids, strict=True))
                    known = n == 0 or row != 1
                    assert logits[n, step, 1 + row].item() == pytest.approx(
                        float(label) if known else -torch.inf, abs=1e-4
                    )
                for place in range(batch.ids.shape[1]):
                    at = logits[n, step, 1 + len(TYPES) + place].item()
                    if place < source.end:
                        what = (hidden[n, place] + table[source.ids[place]]) / 2
                        assert at == pytest.approx((z @ what).item(), abs=1e-4)
                    else:
                        assert at == -torch.inf
    assert max(map(len, encoder.names)) > 1
    assert 1 <= weights.min() <= weights.max() <= 2.5


def test_answers_are_the_likeliest_step_by_step_alone_and_in_a_batch(pointer: model.Pointer, mini: Benchmark) -> None:
    sentences = [replace(s, entities=()) for s in mini.corpus("ai").train[:6]]
    sources = pointer.encoder.sources(sentences)
    limits = [12] * len(sources)
    together = pointer.answer(sources, limits, FP32)
    assert together == [pointer.answer([s], [12], FP32)[0] for s in sources]
    assert len({len(said) for said in together} | {tuple(said) for said in together}) > 1
    for source, said in zip(sources, together, strict=True):
        batch = pointer.encoder.collate([replace(source, said=tuple(said))])
        with torch.no_grad():
            assert pointer.network.eval()(batch)[0].argmax(-1).tolist() == said


def test_weights_of_labels_go_by_their_names(pointer: model.Pointer) -> None:
    old = torch.arange(8.0).view(2, 4)
    state = {name: tensor.clone() for name, tensor in pointer.state().items()}
    before = state["weights"].clone()
    made = pointer.relabelled({**state, "weights": old}, ["field", "programlang"])["weights"]
    pieces = [len(ids) for ids in pointer.encoder.names]
    assert torch.equal(made[0], before[0])
    assert made[1, : pieces[1]].tolist() == old[1, : pieces[1]].tolist()
    assert made[2, : pieces[2]].tolist() == old[0, : pieces[2]].tolist()


def test_matrices_decay_and_nothing_else() -> None:
    matrix, bias = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))
    optimizer = model.decaying(0.1)([matrix, bias], 1.0)
    matrix.grad, bias.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    assert (matrix.unique().item(), bias.unique().item()) == (pytest.approx(0.9), 1.0)


# --- the method ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frozen", [True, False])
def test_an_interrupted_run_ends_as_an_undisturbed_one(
    frozen: bool,
    domains: tuple[list[Corpus], Corpus],
    tiny_bart: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in every stage; then kept, and read again. A frozen backbone stays as it is."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    chosen = options(tiny_bart)
    chosen = change(chosen, network={"freeze": frozen})
    asked = [s.unlabeled() for s in target.dev]

    whole = LightNer(chosen)
    whole.fit(sources, target, context(tmp_path / "whole"))
    said = list(whole.predict(asked, context(tmp_path)))
    killer = KillerOfSeconds()
    method, _ = fit_stubbornly(lambda: LightNer(chosen), sources, target, tmp_path / "killed", killer)
    assert killer.killed == {"source", "target"}
    one, other = whole.model.state(), method.model.state()
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert list(method.predict(asked, context(tmp_path))) == said

    before = restore(Path(tiny_bart))
    now = {name: p for name, p in whole.model.network.backbone.named_parameters() if name in before}
    assert all(torch.equal(p, before[name]) for name, p in now.items()) == frozen

    (tmp_path / "model").mkdir()
    whole.save(tmp_path / "model")
    again = LightNer(chosen)
    again.load(tmp_path / "model", target.types, context(tmp_path))
    assert list(again.predict(asked, context(tmp_path))) == said


def test_odd_domains_are_learnt(tiny_bart: str, mini: Benchmark, tmp_path: Path) -> None:
    """A target of one type that no source has, without dev; sentences without entities, of a source left out."""
    ai, news = mini.corpus("ai").without_test(), mini.corpus("news").without_test()
    bare = tuple(replace(s, entities=()) for s in ai.train[:2])
    one = tuple(replace(s, entities=tuple(replace(e, type="thing") for e in s.entities)) for s in ai.train[2:5])
    target = replace(ai, types=("thing",), train=(*bare, *one), dev=())
    source = replace(news, train=(*news.train[:3], replace(news.train[3], entities=())), dev=())
    method, run = LightNer(options(tiny_bart, source={"only_with_entities": True})), context(tmp_path)
    method.fit([source], target, run)
    assert next(phase.sentences for phase in run.phases if phase.name == "source") == 3
    (prediction,) = method.predict([Sentence("x", ("word",) * 900)], run)
    assert {e.type for e in prediction.entities} <= {"thing"}
    assert prediction.unseen > 0


def test_an_answer_is_no_longer_than_the_decoder_has_places(tiny_bart: str, tmp_path: Path) -> None:
    """Be it one to learn, of a sentence full of names, or one that never ends."""
    names = Sentence("x", ("w",) * 400, tuple(Entity(n, n + 1, "thing") for n in range(400)))
    target = Corpus("names", ("thing",), train=(names,), dev=(names,))
    method, run = LightNer(options(tiny_bart, answering={"ratio": 9.0})), context(tmp_path)
    method.fit([], target, run)
    (prediction,) = method.predict([names.unlabeled()], run)
    assert Cut.ANSWER in prediction.cut
    assert method.model.encoder.steps == 600  # with one id to begin with


@pytest.mark.parametrize("with_source", [False, True])
def test_a_target_without_any_type_runs_through(
    with_source: bool, tiny_bart: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    """As with every other method, nothing is found in it."""
    sources, target = domains
    bare = replace(target, types=(), train=tuple(replace(s, entities=()) for s in target.train), dev=())
    method, run = LightNer(options(tiny_bart)), context(tmp_path)
    method.fit(sources[:with_source], bare, run)
    said = list(method.predict([s.unlabeled() for s in target.dev], run))
    assert [p.entities for p in said] == [()] * len(target.dev)
    method.save(tmp_path)
    again = LightNer(method.options)
    again.load(tmp_path, (), run)
    assert list(again.predict([s.unlabeled() for s in target.dev], run)) == said


def test_more_than_512_pieces_of_labels_are_no_trouble(tiny_bart: str, mini: Benchmark, tmp_path: Path) -> None:
    ai = mini.corpus("ai").without_test()
    types = (*ai.types, *(f"a rather long name of a type that has number {n}" for n in range(60)))
    target = replace(ai, types=types, train=ai.train[:4], dev=ai.dev[:1])
    method = LightNer(options(tiny_bart, target={"epochs": 1}))
    method.fit([], target, context(tmp_path))
    assert sum(map(len, method.model.encoder.names)) > 512
    assert len(list(method.predict([s.unlabeled() for s in target.dev], context(tmp_path)))) == 1


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_t5", "tiny_llama"])
def test_a_backbone_that_cannot_point_is_refused(
    kind: str, domains: tuple[list[Corpus], Corpus], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with pytest.raises(CdnerError, match=r"generates no text|does not fit") as told:
        LightNer(options(request.getfixturevalue(kind))).fit([], domains[1], context(tmp_path))
    assert "encoder-decoder" in (told.value.hint or "")


@pytest.mark.slow
def test_the_contract_is_kept(tiny_bart: str) -> None:
    entry = plugins.discover().get("lightner")
    chosen: dict[str, Any] = {"backbone": tiny_bart, "target.epochs": 1, "prefix.hidden": 8}
    assert [check for check in conformance.check(entry, chosen) if check.problem] == []
