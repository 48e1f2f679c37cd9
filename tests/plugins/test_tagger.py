"""bert-tagger and bert-gtok, on a tiny random encoder and on real sentences of the sample."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Corpus, Entity, Sentence, plugins, sentence_counts, total  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError  # noqa: E402
from cdner_bench.plugins import Epoch  # noqa: E402
from cdner_tagger.method import BertTagger  # noqa: E402
from cdner_tagger.options import TaggerOptions  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.batches import mix, pad_rows  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402
from cdner_torch.tagging import encoding, mlm, model, training  # noqa: E402
from cdner_torch.tagging.options import Network, Source, TransferTarget  # noqa: E402
from support import Nobody, change, context, judged_by  # noqa: E402

FP32 = training.Tagging("cpu", "fp32", 0)


@pytest.fixture(scope="module")
def tokenizer(tiny_bert: str) -> object:
    return model.load_tokenizer(tiny_bert)


def options(tiny_bert: str, **chosen: object) -> TaggerOptions:
    base = TaggerOptions(
        backbone=tiny_bert,
        network=Network(precision="fp32"),
        source=Source(epochs=1),
        target=TransferTarget(epochs=2, learning_rate=1e-3),
    )
    made: TaggerOptions = change(base, **chosen)
    return made


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus) -> Corpus:
        return replace(corpus, train=corpus.train[:20], dev=corpus.dev[:8], test=())

    return [cut(mini.corpus(n)) for n in ("news", "music")], cut(mini.corpus("ai"))


# --- encoding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[1] * 5, [1] * 100, [3, 1, 7] * 20, [10] * 7, [9, 1] * 9, [*[1] * 20, 10, 1]])
def test_every_word_is_decided_once_with_context(sizes: list[int]) -> None:
    cuts = encoding.stretches(sizes, 10)
    assert [word for _, words, _ in cuts for word in words] == list(range(len(sizes)))
    for start, words, end in cuts:
        assert words
        assert sum(sizes[start:end]) <= 10
        assert start <= words.start
        assert words.stop <= end


def test_long_sentences_get_a_tag_for_every_word(tiny_bert: str, tokenizer: object, mini: Benchmark) -> None:
    words = [t for s in mini.corpus("science").train for t in s.tokens][:300]
    long = Sentence("long", tuple(words), (Entity(0, 2, "misc"), Entity(280, 281, "misc")))
    labels = {"O": 0, "B-misc": 1, "I-misc": 2}
    found = encoding.windows([long], tokenizer, 64, labels)
    assert len(found) > 3
    assert max(len(w.ids) for w in found) <= 64
    gold = [label for w in found for label in w.labels]
    assert (gold[:3], gold[280], len(gold)) == ([1, 2, 0], 1, 300)
    tagger = model.Tagger(model.load_encoder(tiny_bert), list(labels), [list(labels)])
    (prediction,) = training.decode(tagger, [long], encoding.windows([long], tokenizer, 64), FP32)
    assert prediction.tags is not None
    assert len(prediction.tags) == 300


def test_words_without_pieces_are_kept(tokenizer: object) -> None:
    (window,) = encoding.windows([Sentence("s", ("a", "\u200b", "b"))], tokenizer, 64)
    assert len(window.first) == 3
    assert window.ids[window.first[1]] == 1


def test_labels_stand_on_first_pieces(tokenizer: object) -> None:
    (window,) = encoding.windows(
        [Sentence("s", ("ab", "cde"), (Entity(1, 2, "x"),))], tokenizer, 64, {"O": 0, "B-x": 1}
    )
    batch = encoding.collate([window], 0)
    assert batch.labels.tolist() == [[-100, 0, -100, 1, -100, -100, -100]]


def test_a_sentence_is_tagged_alike_alone_and_in_a_batch(tiny_bert: str, tokenizer: object, mini: Benchmark) -> None:
    labels = model.bio_labels(mini.corpus("ai").types)
    tagger = model.Tagger(model.load_encoder(tiny_bert), labels, [labels])
    sentences = mini.corpus("ai").test[:10]
    together = training.decode(tagger, sentences, encoding.windows(sentences, tokenizer, 64), FP32)
    for sentence, prediction in zip(sentences, together, strict=True):
        alone = training.decode(tagger, [sentence], encoding.windows([sentence], tokenizer, 64), FP32)
        assert alone == [prediction]


# --- the shared head -------------------------------------------------------------------------------------------------


def test_labels_a_domain_lacks_are_impossible_and_learn_nothing(tiny_bert: str, tokenizer: object) -> None:
    labels = ["O", "B-a", "I-a", "B-b", "I-b"]
    tagger = model.Tagger(model.load_encoder(tiny_bert), labels, [["O", "B-a", "I-a"], ["O", "B-b", "I-b"]])
    (window,) = encoding.windows(
        [Sentence("s", ("x", "y"), (Entity(0, 1, "a"),))],
        tokenizer,
        64,
        {name: i for i, name in enumerate(labels)},
        0,
    )
    batch = encoding.collate([window], 0)
    logits = tagger(batch.ids, batch.attention, batch.domains)
    assert torch.isinf(logits[..., 3:]).all()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=-100).backward()
    gradient = tagger.head.weight.grad
    assert gradient is not None
    assert (gradient[3:] == 0).all()
    assert (gradient[:3] != 0).any()


def test_known_labels_keep_their_rows(tiny_bert: str) -> None:
    old = model.Tagger(model.load_encoder(tiny_bert), ["O", "B-a", "I-a"], [["O", "B-a", "I-a"]])
    new = old.relabelled(["O", "B-b", "I-b", "B-a", "I-a"])
    assert torch.equal(new.head.weight[3], old.head.weight[1])
    assert torch.equal(new.head.weight[0], old.head.weight[0])


def test_saving_and_loading_is_the_identity(tiny_bert: str, tmp_path: Path) -> None:
    tagger = model.Tagger(model.load_encoder(tiny_bert), ["O", "B-a", "I-a"], [["O", "B-a", "I-a"]])
    model.save_tagger(tagger, tmp_path)
    again = model.load_tagger(tmp_path)
    assert again.labels == tagger.labels
    for one, other in zip(tagger.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


# --- training --------------------------------------------------------------------------------------------------------


def test_sampling_by_square_root() -> None:
    def pool(n: int, domain: int) -> list[encoding.Window]:
        return [encoding.Window(i, (1,), range(1), (0,), (0,), domain) for i in range(n)]

    pools = [pool(400, 0), pool(100, 1), pool(100, 2)]
    drawn = mix(pools, torch.Generator().manual_seed(0), sqrt=True)
    assert [sum(w.domain == d for w in drawn) for d in range(3)] == [300, 150, 150]
    assert len({w.sentence for w in drawn if w.domain == 1}) == 100
    assert mix(pools, torch.Generator(), sqrt=False) == [*pools[0], *pools[1], *pools[2]]


def test_of_empty_domains_nothing_is_drawn() -> None:
    """Their shares were divided by nothing."""
    assert mix([[], []], torch.Generator(), sqrt=True) == []


def test_it_learns_what_it_is_shown(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    """Overfitting twenty sentences: the loop, the labels and the decoder agree with each other."""
    _, target = domains
    seen = replace(target, dev=target.train)
    method = BertTagger(
        options(
            tiny_bert,
            finetuning={"transfer": "direct", "dropout": 0.0},
            target={"epochs": 60, "learning_rate": 5e-3, "patience": None},
        )
    )
    run = context(tmp_path)
    method.fit([], seen, run)
    answers = list(method.predict([s.unlabeled() for s in target.train], run))
    assert total(map(sentence_counts, target.train, answers)).f1 > 60


@pytest.mark.parametrize("transfer", ["pretrain-finetune", "direct", "joint"])
def test_every_kind_of_transfer_runs_and_repeats(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, transfer: str
) -> None:
    sources, target = domains
    answers = []
    for place in ("one", "two"):
        run = context(tmp_path / place)
        method = BertTagger(options(tiny_bert, finetuning={"transfer": transfer}, target={"joint_repeats": 2}))
        method.fit(sources, target, run)
        answers.append(list(method.predict([s.unlabeled() for s in target.dev], run)))
    assert answers[0] == answers[1]
    assert [p.sentence_id for p in answers[0]] == [s.id for s in target.dev]
    assert {t for p in answers[0] for t in p.tags or ()} <= set(model.bio_labels(target.types))


def test_the_source_model_is_shared_by_targets_and_by_nobody_else(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, mini: Benchmark
) -> None:
    sources, target = domains
    other = replace(mini.corpus("politics"), train=mini.corpus("politics").train[:10], test=())
    for number, (chosen, where) in enumerate(
        [
            ({}, target),
            ({}, other),
            ({"target": {"epochs": 1}}, target),
            ({"source": {"epochs": 2}}, target),
            ({"finetuning": {"batch_size": 8}}, target),
        ]
    ):
        run = replace(context(tmp_path), workdir=tmp_path / f"run{number}")
        BertTagger(options(tiny_bert, **chosen)).fit(sources, where, run)
        assert run.phases[0].name == "source"
        assert run.phases[0].reused == (number in (1, 2))


@pytest.mark.parametrize(
    ("scores", "asked", "best"),
    [
        ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 6, 5),  # before a score above 0, patience is endless
        ([0.0, 0.0, 0.0, 50.0, 40.0, 50.0], 6, 3),  # the earlier of equals
        ([10.0, 30.0, 20.0, 25.0, 90.0], 4, 1),
    ],
)
def test_training_ends_with_the_best_weights_and_stops_when_patience_does(
    scores: list[float],
    asked: int,
    best: int,
    tiny_bert: str,
    tokenizer: object,
    domains: tuple[list[Corpus], Corpus],
    tmp_path: Path,
) -> None:
    _, target = domains
    labels = model.bio_labels(target.types)
    tagger = model.Tagger(model.load_encoder(tiny_bert), labels, [labels])
    pool = encoding.windows(target.train, tokenizer, 64, {name: i for i, name in enumerate(labels)})
    coming, seen = iter(scores), []

    def dev_f1() -> float:
        seen.append({k: v.clone() for k, v in tagger.state_dict().items()})
        return next(coming)

    run = context(tmp_path)
    schedule = Schedule(epochs=len(scores), learning_rate=1e-3, batch_size=8, patience=2, decay=False)
    data = training.draw_from([pool], 8, 0, sqrt=False)
    loop.train(training.Pupil(tagger, FP32), data, schedule, "target", run, tmp_path, judged_by(dev_f1))
    assert (len(seen), run.phases[0].epochs) == (asked, asked)
    for name, value in model.load_tagger(tmp_path).state_dict().items():
        assert torch.equal(value, seen[best][name])
        assert torch.isfinite(value).all()


def test_batches_of_an_epoch_are_the_same_whenever_they_are_asked_for(tokenizer: object, mini: Benchmark) -> None:
    pools = [encoding.windows(mini.corpus(name).train[:n], tokenizer, 64) for name, n in (("ai", 30), ("music", 9))]
    data = training.draw_from(pools, 8, 0, sqrt=True)
    forwards = [list(data.batches(epoch)) for epoch in range(4)]
    assert [len(epoch) for epoch in forwards] == [data.steps] * 4
    assert forwards[0] != forwards[1]
    begun = training.draw_from(pools, 8, 0, sqrt=True)
    assert [list(begun.batches(epoch)) for epoch in (3, 0, 2, 2)] == [forwards[n] for n in (3, 0, 2, 2)]
    next(begun.batches(1))  # a part of an epoch leaves no trace
    assert list(begun.batches(1)) == forwards[1]


def test_a_backbone_that_is_not_there() -> None:
    with pytest.raises(CdnerError, match="the backbone 'no/such-model' cannot be loaded") as caught:
        model.load_tokenizer("no/such-model")
    assert "--preset cpu" in (caught.value.hint or "")


@pytest.mark.parametrize("method", ["bert-gtok", "joint"])
def test_an_interrupted_run_ends_as_an_undisturbed_one(
    method: str,
    tiny_bert: str,
    domains: tuple[list[Corpus], Corpus],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in masked-LM, in the source stage and in the target stage: each goes on where it was."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    texts = [f"the neural network of {n} is the product of ai" for n in range(60)]
    target = replace(target, resources={"gtok": gtok(tmp_path / "gtok.json", texts)})
    chosen: dict[str, object] = {
        "mlm": {"epochs": 2, "block": 32},
        "finetuning": {"dropout": 0.1, "transfer": "pretrain-finetune" if method == "bert-gtok" else "joint"},
        "source": {"epochs": 2},
        "target": {"epochs": 3, "schedule": "linear", "joint_repeats": 2},
    }
    if method == "bert-gtok":
        chosen["pretraining"] = "gtok"

    class Interrupted(Nobody):
        steps: ClassVar[list[tuple[str, int]]] = []
        name = ""

        def phase(self, name: str) -> None:
            self.name = name

        def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
            self.steps.append((self.name, step))
            if len(self.steps) in kills:
                raise KeyboardInterrupt

    def learn(folder: Path) -> tuple[dict[str, Any], Sequence[Epoch]]:
        while True:
            run = context(folder)
            run.observer = Interrupted()
            tagger = BertTagger(options(tiny_bert, **chosen))
            try:
                tagger.fit(sources, target, run)
                return dict(tagger.tagger.state_dict()), run.curve
            except KeyboardInterrupt:
                continue

    kills: set[int] = set()
    (undisturbed, curve), steps = learn(tmp_path / "a"), list(Interrupted.steps)
    second = [next(n for n, (name, step) in enumerate(steps) if name == phase) + 3 for phase in dict(steps)]
    kills, Interrupted.steps[:] = {n + k for k, n in enumerate(second)} | {len(steps) + len(second) - 1}, []
    again, curve_again = learn(tmp_path / "b")
    assert curve_again == curve
    assert [epoch.epoch for epoch in curve] == [1, 2, 1, 2, 1, 2, 3][-len(curve) :]
    repeated = len(kills)  # the step in which a run was killed is made again, and none before it
    assert len(Interrupted.steps) == len(steps) + repeated
    assert undisturbed.keys() == again.keys()
    assert all(torch.equal(undisturbed[name], again[name]) for name in undisturbed)
    assert not list(tmp_path.rglob("*.draft"))
    assert not list(tmp_path.rglob("checkpoint.safetensors"))


def test_a_diverging_run_is_refused(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    sources, target = domains
    with pytest.raises(CdnerError, match="training diverged: the loss is"):
        BertTagger(options(tiny_bert, source={"learning_rate": 1e30, "epochs": 5})).fit(
            sources, target, context(tmp_path)
        )
    assert not list((tmp_path / "shared").glob("source-*[0-9a-f]"))


def test_weights_of_another_model_and_pickles_are_refused(tiny_bert: str, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import save_file

    other = shutil.copytree(tiny_bert, tmp_path / "other")
    save_file({"nonsense": torch.zeros(1)}, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CdnerError, match="do not fit its configuration"):
        model.load_encoder(str(other))
    (other / "model.safetensors").unlink()
    torch.save({}, other / "pytorch_model.bin")
    with pytest.raises(CdnerError, match="cannot be loaded"):
        model.load_encoder(str(other))


def test_gtok_is_what_bert_gtok_asks_for(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    sources, target = domains
    method, bare = BertTagger(options(tiny_bert, pretraining="gtok")), replace(target, resources={})
    with pytest.raises(CdnerError, match="needs explanations of ai"):
        method.fit(sources, bare, context(tmp_path))


def test_presets_are_options() -> None:
    for name in ("bert-tagger", "bert-gtok"):
        spec = plugins.discover().get(name).spec
        for preset in spec.presets:
            assert spec.resolve(preset, {}).pretraining == ("gtok" if name == "bert-gtok" else "none")


# --- bert-gtok -------------------------------------------------------------------------------------------------------


def gtok(path: Path, texts: list[str]) -> Path:
    path.write_text(
        json.dumps([{"text": "x", "explanations": [{"word": "x", "label": "task", "explanation": t} for t in texts]}])
    )
    return path


def test_masked_lm_on_gtok_changes_the_encoder(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    target = replace(
        target,
        resources={"gtok": gtok(tmp_path / "gtok.json", ["a neural network is the product of ai"] * 40)},
    )
    run = context(tmp_path)
    method = BertTagger(options(tiny_bert, pretraining="gtok", mlm={"epochs": 2, "block": 32}))
    method.fit(sources, target, run)
    assert [p.name for p in run.phases] == ["mlm", "source", "target", "dev"]
    (folder,) = (tmp_path / "shared").glob("mlm-*[0-9a-f]")
    before, after = model.load_encoder(tiny_bert), model.load_encoder(str(folder))
    assert not torch.equal(before.embeddings.word_embeddings.weight, after.embeddings.word_embeddings.weight)


@pytest.mark.parametrize(
    ("pretraining", "full", "what"),
    [
        ("gtok", (torch.nn.Module, "to"), "the backbone: out of memory"),
        ("none", (torch.nn.Module, "to"), "the backbone: out of memory"),
        ("none", (BertTagger, "decode"), "dev: out of memory"),
    ],
)
def test_what_does_not_fit_into_memory_is_said_with_what_to_do(
    pretraining: str,
    full: tuple[type, str],
    what: str,
    tiny_bert: str,
    domains: tuple[list[Corpus], Corpus],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    explained = gtok(tmp_path / "gtok.json", ["a neural network is the product of ai"])
    method = BertTagger(options(tiny_bert, pretraining=pretraining))
    monkeypatch.setattr(*full, no_room)
    with pytest.raises(CdnerError, match=what) as told:
        method.fit([], replace(domains[1], resources={"gtok": explained}), context(tmp_path))
    assert told.value.hint == "take a smaller backbone"


def test_corruption_masks_a_fifth_and_nothing_special(tokenizer: object) -> None:
    rows = list(mlm.cut(["the quick brown fox jumps over the lazy dog"] * 400, tokenizer, 64))
    assert all(len(row) <= 64 and row[0] == 2 and row[-1] == 3 for row in rows)
    ids = pad_rows(rows, 0)
    inputs, labels = mlm.corrupt(ids, tokenizer, 0.2, torch.Generator().manual_seed(0))
    chosen = labels != -100
    assert 0.18 < chosen.float().sum() / (ids > 4).sum() < 0.22
    assert not (chosen & (ids <= 4)).any()
    assert 0.75 < (inputs[chosen] == 4).float().mean() < 0.85
    assert torch.equal(inputs[~chosen], ids[~chosen])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1000100000", "0001100000"),
        ("1100000000", "1100000000"),
        ("1000000000", "1000000000"),
        ("0100100100", "0001100100"),
        ("0100100110", "0001100110"),
        ("1010000000", "0110000000"),
    ],
)
def test_isolated_masks_are_joined_pairwise(before: str, after: str) -> None:
    row = torch.tensor([c == "1" for c in before])
    mlm.join_singles(row)
    assert "".join("01"[int(x)] for x in row) == after
