"""What is too long for a model: sentences are cut and said to be, and batches hold what memory holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Corpus, Cut, Doubt, Entity, RunContext, Sentence, gtok, plugins, text2text  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError, DataError, OptionError  # noqa: E402
from cdner_bench.scoring import score  # noqa: E402
from cdner_cpner import spots  # noqa: E402
from cdner_cpner.method import CpNer  # noqa: E402
from cdner_cpner.options import CpNerOptions, Finetuning  # noqa: E402
from cdner_tagger.method import BertTagger, Daptn  # noqa: E402
from cdner_tagger.options import DaptnOptions, TaggerOptions  # noqa: E402
from cdner_topt.method import Topt  # noqa: E402
from cdner_topt.options import Mslm, Source, Target, ToptOptions  # noqa: E402
from cdner_torch import backbones  # noqa: E402
from cdner_torch.batches import InMemory, blocks, bounded  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from cdner_torch.generators import Backbone, Example, read_all  # noqa: E402
from cdner_torch.lengths import TokenLimits, count_unseen, tell_uncarried  # noqa: E402
from cdner_torch.loop import train  # noqa: E402
from cdner_torch.options import Decoding, Generation  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402
from cdner_torch.tagging import encoding, model, training  # noqa: E402
from cdner_torch.tagging.options import Dapt, TransferFinetuning  # noqa: E402
from cdner_torch.tagging.options import Network as TaggerNetwork  # noqa: E402
from cdner_torch.tagging.options import Source as TaggerSource  # noqa: E402
from cdner_torch.tagging.options import TransferTarget as TaggerTarget  # noqa: E402
from cdner_torch.tokens import add_special  # noqa: E402
from support import ROOT, Nobody, context, judged_by  # noqa: E402

FP32 = Compute("cpu", "fp32")
TYPES = ["colour", "person"]
KINDS = ["tiny_t5", "tiny_bart", "tiny_llama"]


def long_sentence(size: int) -> Sentence:
    """A sentence whose first, middle and last token are entities."""
    places = (0, size // 2, size - 1)
    entities = tuple(Entity(n, n + 1, "colour") for n in places)
    return Sentence("d/test/0", tuple(f"word{n % 97}" for n in range(size)), entities)


def load(place: str, **limits: int) -> Backbone:
    return backbones.load(place, FP32, TokenLimits(**limits), 0.0)


class Noting(Nobody):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize("method", ["topt", "cp-ner", "lightner", "qlora-llama2"])
def test_a_limit_leaves_room_beside_special_tokens(method: str) -> None:
    """With less, nothing was read or nearly everything, and the pointer of `lightner` had nowhere to point."""
    with pytest.raises(OptionError, match=r"network\.max_source"):
        plugins.discover().get(method).spec.resolve("quick", {"network.max_source": 2})


# --- batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [[5], [30] * 20, [9, 1, 1, 30, 2, 2, 2], [100, 1, 1, 1], list(range(1, 40)), []])
def test_groups_hold_no_more_than_they_may(lengths: list[int]) -> None:
    groups = list(bounded(lengths, 8, 1000, int))
    assert [n for group in groups for n in group] == lengths
    assert all(len(group) == 1 or len(group) * max(group) ** 2 <= 1000 for group in groups)
    assert all(len(group) <= 8 for group in groups)
    for group, following in pairwise(groups):  # none could have held the next item too
        more = [*group, following[0]]
        assert len(more) > 8 or len(more) * max(more) ** 2 > 1000
    assert list(bounded(lengths, 8, 10**9, int)) == list(map(list, blocks(lengths, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_in_parts_learns_what_a_whole_one_learns(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learn(cells: int) -> tuple[int, dict[str, Any]]:
        """The size of the largest part, and the weights."""
        model, sizes = load(request.getfixturevalue(kind)), []
        loss = model.loss

        def watched(items: Sequence[Example]) -> Any:
            sizes.append(len(items))
            return loss(items)

        monkeypatch.setattr(model, "loss", watched)
        model.cells = cells
        examples = model.encode([("a" * n, "b" * n) for n in (3, 20, 9, 14)])
        folder = tmp_path / str(cells)
        folder.mkdir()
        train(model, InMemory(lambda _: examples, 4, 0), Schedule(2, 4, 1e-3), "t", context(folder), folder)
        return max(sizes), model.state()

    (most, whole), *parts = [learn(cells) for cells in (Backbone.cells, 2 * 40**2, 1)]
    assert (most, parts[-1][0]) == (4, 1)
    assert all(torch.allclose(whole[name], state[name], atol=1e-5) for _, state in parts for name in whole)


def test_prompts_are_answered_in_groups_that_fit(tiny_t5: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tiny_t5, answer=2)
    prompts = ["a b c " * n for n in (1, 40, 2, 30, 3)]
    together = model.complete(prompts, FP32)
    sizes: list[int] = []
    answer = model.continuations

    def watched(sources: Sequence[Sequence[int]], *rest: Any) -> Any:
        sizes.append(len(sources) * max(map(len, sources)) ** 2)
        return answer(sources, *rest)

    monkeypatch.setattr(model, "continuations", watched)
    model.portions.cells = 60_000
    assert model.complete(prompts, FP32) == together
    assert len(sizes) > 1
    assert max(sizes) <= 60_000


# --- what is not seen -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("characters", "unseen"), [(0, 0), (1, 1), (3, 1), (4, 1), (5, 2), (7, 2), (8, 2), (9, 3), (400, 3)]
)
def test_tokens_that_are_not_wholly_read(characters: int, unseen: int) -> None:
    assert count_unseen(Sentence("s", ("ab", "cde", "fgh")), characters) == unseen


@pytest.mark.parametrize("answers", ["free", "spans"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_generator_does_not_read_of_a_sentence_is_counted(
    kind: str, answers: str, request: pytest.FixtureRequest
) -> None:
    model = load(request.getfixturevalue(kind), answer=3)
    short, long = replace(long_sentence(4), id="d/test/1"), long_sentence(2500)
    sentences = [long, short]
    prompts = [text2text.prompt(s, TYPES) for s in sentences]
    cut, whole = read_all(model, sentences, prompts, TYPES, FP32, answers)  # type: ignore[arg-type]
    assert (whole.unseen, Cut.PROMPT in whole.cut) == (0, False)
    assert Cut.PROMPT in cut.cut
    (ids,) = model.tokenizer([prompts[0]], add_special_tokens=False)["input_ids"]
    read = model.tokenizer.decode(ids[: model.room.answered], skip_special_tokens=True)
    told = text2text.prompt(replace(long, tokens=long.tokens[: 2500 - cut.unseen], entities=()), TYPES)
    assert "".join(read.split()).startswith("".join(told.split()))
    assert len("".join(read.split())) - len("".join(told.split())) < len(long.tokens[2500 - cut.unseen])
    counts = score(sentences, [cut, whole], TYPES).answers
    assert (counts["unseen sentences"], counts["unseen tokens"]) == (1, cut.unseen)
    assert counts["unseen entities"] == 1 + (cut.unseen >= 1250)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limits", [{}, {"source": 5000}, {"source": 5000, "target": 5000, "answer": 5000}])
def test_nothing_is_longer_than_the_positions(
    kind: str, limits: dict[str, int], request: pytest.FixtureRequest
) -> None:
    model = load(request.getfixturevalue(kind), **limits)
    positions = getattr(model.network.config, "max_position_embeddings", None)
    (example,) = model.encode([("a " * 6000, "b " * 6000)])
    read = len(model.source([0] * model.room.answered))
    together = kind == "tiny_llama"
    learnt = len(example.source) + len(example.target) if together else max(len(example.source), len(example.target))
    assert min(model.room.source, model.room.target, model.room.answered, model.room.answer) > 0
    if positions is None:
        assert read == max(2048, limits.get("source", 0))
    else:
        assert learnt <= positions
        assert read + (model.room.answer if together else 0) <= positions


def test_a_tagger_reads_all_but_the_ends_of_words_that_fill_a_window(tiny_bert: str) -> None:
    tokenizer = model.load_tokenizer(tiny_bert)
    labels = ["O", "B-colour", "I-colour"]
    tagger = model.Tagger(model.load_encoder(tiny_bert), labels, [labels])
    sentences = [long_sentence(3000), Sentence("w", ("a", "x" * 90, "b")), Sentence("s", ("a", "b"))]
    windows = encoding.windows(sentences, tokenizer, 64)
    found = training.decode(tagger, sentences, windows, training.Tagging("cpu", "fp32", 0))
    assert [p.cut for p in found] == [(), (Cut.PROMPT,), ()]
    assert [len(p.tags or ()) for p in found] == [3000, 3, 2]
    assert all(p.unseen == 0 for p in found)


# --- what is told before a run ----------------------------------------------------------------------------------------


def corpora(mini: Benchmark, *, train: int, dev: int) -> tuple[Corpus, Corpus]:
    """A source as it is, and a target with one sentence of so many tokens in its splits."""
    source, target = mini.corpus("news").without_test(), mini.corpus("ai").without_test()
    kind = target.types[0]

    def add(split: tuple[Sentence, ...], size: int) -> tuple[Sentence, ...]:
        return (*split[:3], Sentence("long", long_sentence(size).tokens, (Entity(0, 1, kind),)))

    return replace(source, train=source.train[:4]), replace(
        target, train=add(target.train, train), dev=add(target.dev, dev)
    )


def topt(place: str) -> Topt:
    return Topt(
        ToptOptions(
            backbone=place, pretraining="none", network=Generation(dropout=0.0, precision="fp32"),
            source=Source(epochs=1), target=Target(epochs=1), decoding=Decoding(max_answer=2),
        )
    )  # fmt: skip


def tagger(place: str) -> BertTagger:
    return BertTagger(
        TaggerOptions(
            backbone=place, network=TaggerNetwork(precision="fp32"), source=TaggerSource(epochs=1),
            target=TaggerTarget(epochs=1),
        )
    )  # fmt: skip


def fit(
    method: Topt | BertTagger | Daptn, source: Corpus, target: Corpus, folder: Path
) -> tuple[list[str], RunContext]:
    run, observer = context(folder), Noting()
    run.observer = observer
    method.fit([source], target, run)
    return observer.notes, run


def test_what_will_be_cut_is_told_first(mini: Benchmark, tiny_t5: str, tmp_path: Path) -> None:
    notes, _ = fit(topt(tiny_t5), *corpora(mini, train=400, dev=1600), tmp_path)
    told = [note for note in notes if "of 4 sentences" in note]
    assert [note.partition(":")[0] for note in told] == ["ai train", "ai dev"]
    assert told[0].startswith("ai train: 1 of 4 sentences are learnt without their ends")
    assert told[1].startswith("ai dev: 1 of 4 sentences are answered without their ends")
    notes, _ = fit(topt(tiny_t5), *corpora(mini, train=4, dev=4), tmp_path / "short")
    assert not [note for note in notes if "sentences" in note]


@pytest.fixture(scope="module")
def uncased(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A backbone of which all but the weights is there, with a vocabulary without case and many signs."""
    from transformers import AutoTokenizer, T5Config

    folder = tmp_path_factory.mktemp("uncased")
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "benchmarks" / "backbones" / "minilm2minilm")
    tokenizer.save_pretrained(folder)
    T5Config(vocab_size=len(tokenizer), d_model=32).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (
            ("person", "😀"),
            "the type '😀' of own cannot be carried by text: the backbone writes ANSWER as",
        ),
        (("person", "a\u200bb"), "cannot be carried by text: the backbone writes"),
        (("person", "Person"), "are one to a vocabulary without case"),
    ],
)
def test_types_that_a_vocabulary_lacks_are_refused_before_anything_learns(
    types: tuple[str, ...], message: str, uncased: str, tmp_path: Path
) -> None:
    sentence = Sentence("a", ("Ada", "met", "👩"), (Entity(0, 1, "person"),))
    target = Corpus("own", types, (sentence,), (sentence,))
    topt = Topt(ToptOptions(backbone=uncased, pretraining="none"))
    items, spotted = (
        CpNer(CpNerOptions(backbone=uncased, finetuning=Finetuning(wording=wording))) for wording in ("items", "spots")
    )
    of_items, of_spots = "'(😀, word)'", "'<extra_id_0> <extra_id_0> 😀 <extra_id_5> word <extra_id_1> <extra_id_1>'"
    for method, answer in ((topt, of_items), (items, of_items), (spotted, of_spots)):
        with pytest.raises(DataError, match=re.escape(message.replace("ANSWER", answer))):
            method.fit([], target, context(tmp_path))


def test_spots_say_types_that_items_cannot(uncased: str, tmp_path: Path) -> None:
    told = Noting()
    run = RunContext.create(0, tmp_path, tmp_path / "shared", observer=told)
    sentence = Sentence("a", ("Ada", "met", "👩"), (Entity(0, 1, "law (EU), old"), Entity(2, 3, "law (EU), old")))
    tokenizer, wording = backbones.read_frame(uncased).tokenizer, spots.WORDINGS["spots"]
    add_special(tokenizer, wording.marks)
    corpus = Corpus("own", ("law (EU), old",), (sentence,))
    tell_uncarried([corpus], tokenizer, run, write=wording.answer, understand=wording.read, shown=wording.marks)
    assert [note.split(":")[0] for note in told.notes] == ["text cannot carry 1 of 2 gold entities of own"]
    with pytest.raises(DataError, match="it has a comma or a bracket"):
        tell_uncarried([corpus], tokenizer, run)


def test_entities_that_a_vocabulary_lacks_are_told(uncased: str, tmp_path: Path) -> None:
    told = Noting()
    run = RunContext.create(0, tmp_path, tmp_path / "shared", observer=told)
    sentence = Sentence("a", ("Ada", "met", "👩"), (Entity(0, 1, "person"), Entity(2, 3, "person")))
    corpora = [Corpus(name, ("person",), (sentence,)) for name in ("own", "other")]
    tell_uncarried(corpora, backbones.read_frame(uncased).tokenizer, run)
    assert [note.split(":")[0] for note in told.notes] == [
        f"text cannot carry 1 of 2 gold entities of {name}" for name in ("own", "other")
    ]
    assert all("whose signs the backbone lacks" in note for note in told.notes)


def test_what_a_tagger_reads_in_stretches_is_told_first(mini: Benchmark, tiny_bert: str, tmp_path: Path) -> None:
    source, target = corpora(mini, train=400, dev=4)
    target = replace(target, train=target.train[-1:], dev=target.dev[-1:])
    notes, _ = fit(tagger(tiny_bert), replace(source, train=source.train[:0]), target, tmp_path)
    assert "ai train: 1 of 1 sentences are read in stretches of 64 sub-words that overlap" in notes
    assert not [note for note in notes if note.startswith("ai dev")]


@pytest.mark.parametrize(("words", "told"), [(8, "2 × 24 words in 3 lines"), (400, "2 × 1,200 words in 3 lines")])
def test_how_much_text_is_learnt_is_told_first_and_what_of_it_is_cut(
    words: int, told: str, mini: Benchmark, tiny_t5: str, tiny_bert: str, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b c d e f g h\n\n".replace("h", "h " * (words - 7)) * 3)
    source, target = corpora(mini, train=4, dev=4)
    target = replace(target, resources={"dapt": text})
    generator = Topt(replace(topt(tiny_t5).options, pretraining="dapt", mslm=Mslm(epochs=2)))
    daptn = Daptn(
        DaptnOptions(
            backbone=tiny_bert, network=TaggerNetwork(precision="fp32"), mlm=Dapt(epochs=2, block=64),
            finetuning=TransferFinetuning(transfer="direct"), target=TaggerTarget(epochs=1),
        )
    )  # fmt: skip
    notes, _ = fit(generator, source, target, tmp_path / "generator")
    (said,) = [note for note in notes if note.startswith("text.txt: ")]
    assert said.startswith(f"text.txt: {told} are learnt")
    assert said.endswith(": -o mslm.dapt_tokens=N takes fewer")
    assert ("at the ends of lines that are too long" in said) == (words == 400)
    notes, _ = fit(daptn, source, target, tmp_path / "daptn")
    assert f"text.txt: {told} are learnt: -o mlm.dapt_tokens=N takes fewer" in notes


def test_explanations_that_are_cut_are_told(mini: Benchmark, tiny_t5: str, tmp_path: Path) -> None:
    source, target = corpora(mini, train=4, dev=4)
    sentence = target.train[0]
    entity = sentence.entities[0]
    said = [gtok.Explanation(sentence.text, sentence.surface(entity), entity.type, "a " * n) for n in (5, 5, 400)]
    explained = tmp_path / "gtok.json"
    gtok.write(explained, [gtok.Record(sentence.text, tuple(said))])
    target = replace(target, resources={"gtok": explained})
    method = Topt(replace(topt(tiny_t5).options, pretraining="gtok", mslm=Mslm(epochs=1)))
    notes, _ = fit(method, source, target, tmp_path)
    assert "1 of 3 explanations are learnt without their ends: 256 sub-words fit" in notes


# --- training that does not train -------------------------------------------------------------------------------------


def test_training_without_a_sentence_is_doubtful(mini: Benchmark, tiny_t5: str, tiny_bert: str, tmp_path: Path) -> None:
    source, target = corpora(mini, train=4, dev=4)
    for name, method in (("topt", topt(tiny_t5)), ("tagger", tagger(tiny_bert))):
        _, run = fit(method, source, replace(target, train=()), tmp_path / name)
        assert run.doubts == [Doubt.NO_STEP]
        _, run = fit(method, source, replace(target, train=()), tmp_path / name)  # its stages are there by now
        assert run.doubts == [Doubt.NO_STEP]


@pytest.mark.parametrize(
    ("scores", "entities", "doubts"),
    [([0.0, 0.0], True, [Doubt.DEV_ZERO]), ([0.0, 0.0], False, []), ([1.0, 0.0], True, [])],
)
def test_a_dev_score_of_nothing_is_doubtful(
    scores: list[float], entities: bool, doubts: list[Doubt], tiny_t5: str, tmp_path: Path
) -> None:
    learner, said = load(tiny_t5), iter(scores)
    examples = learner.encode([("a", "b")] * 4)
    sentence = long_sentence(5) if entities else long_sentence(5).unlabeled()
    judge = replace(judged_by(lambda: next(said)), sentences=(sentence,))
    run, observer = context(tmp_path), Noting()
    run.observer = observer
    train(learner, InMemory(lambda _: examples, 4, 0), Schedule(2, 4, 1e-3), "t", run, tmp_path, judge)
    assert run.doubts == doubts
    assert any("dev has no entity" in note for note in observer.notes) is not entities


def test_weights_that_the_last_step_made_infinite_are_refused(tiny_t5: str, tmp_path: Path) -> None:
    learner = load(tiny_t5)
    examples = learner.encode([("a", "b")] * 4)
    schedule = Schedule(1, 4, 1e39, decay=False)
    with pytest.raises(CdnerError, match="training diverged: there are weights that are not finite"):
        train(learner, InMemory(lambda _: examples, 4, 0), schedule, "t", context(tmp_path), tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
