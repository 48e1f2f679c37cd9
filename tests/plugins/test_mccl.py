"""mccl: its equations on small tensors, and the method on a tiny random encoder and sentences of the sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Corpus, Doubt, Entity, Sentence, plugins, sentence_counts, total  # noqa: E402
from cdner_bench.errors import CdnerError  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_mccl import options as groups  # noqa: E402
from cdner_mccl import vectors  # noqa: E402
from cdner_mccl.cells import BothWays, MultiCell  # noqa: E402
from cdner_mccl.encoding import Example, encode, gather  # noqa: E402
from cdner_mccl.method import Mccl  # noqa: E402
from cdner_mccl.model import MultiCellTagger, Pupil  # noqa: E402
from cdner_mccl.options import McclOptions, Target  # noqa: E402
from cdner_mccl.training import Alternating, make_schedule  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.descent import Descent  # noqa: E402
from cdner_torch.tagging import model, training  # noqa: E402
from cdner_torch.tagging.options import Network  # noqa: E402
from support import Killer, change, context, fit_stubbornly  # noqa: E402

FP32 = training.Tagging("cpu", "fp32", 0)
SENTENCES = [
    Sentence("s", ("neural", "network", "of", "x12"), (Entity(0, 2, "a"),)),
    Sentence("t", ("y", "of"), (Entity(0, 1, "b"),)),
]


def options(tiny_bert: str, **chosen: object) -> McclOptions:
    base = McclOptions(
        backbone=tiny_bert,
        network=Network(precision="fp32"),
        words=groups.Words(encoder="trained", letters=8, dropout=0.1),
        cells=groups.Cells(units=8),
        target=Target(epochs=2, optimizer="adam", learning_rate=1e-2, encoder_rate=0.1, schedule="linear"),
    )
    made: McclOptions = change(base, **chosen)
    return made


# --- the cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [0, 1])
def test_the_recursion_is_a_loop_written_plainly(side: int) -> None:
    torch.manual_seed(0)
    cells, words, types = MultiCell(5, 3, 6).double(), torch.randn(2, 4, 5).double(), [0, 2, 5]
    outputs, memory, attention = cells(words, torch.tensor(types), side)
    for sentence in range(2):
        h = c = torch.zeros(3).double()
        for t in range(4):
            x, each = words[sentence, t], []
            for k in types:
                i, g = (cells.read[k] @ x + cells.recall[k] @ h + cells.bias[k]).chunk(2)
                each.append(i.sigmoid() * g.tanh() + (1 - i.sigmoid()) * c)
            i, o, g = cells.composing(torch.cat([x, h])).chunk(3)
            scores = [
                cells.scorer[side] @ torch.tanh(cells.new[side] @ g.tanh() + cells.held[side] @ own) for own in each
            ]
            shares = torch.stack(scores).softmax(0)
            composed = sum(share * own for share, own in zip(shares, each, strict=True))
            c = (1 - i.sigmoid()) * c + i.sigmoid() * composed
            h = o.sigmoid() * c.tanh()
            assert torch.allclose(outputs[sentence, t], h)
            assert torch.allclose(memory[sentence, t], torch.stack(each))
            assert torch.allclose(attention[sentence, t], shares)


def test_equal_cells_are_one_cell() -> None:
    torch.manual_seed(0)
    cells, words = MultiCell(5, 3, 4), torch.randn(2, 6, 5)
    for parameter in (cells.read, cells.recall, cells.bias):
        parameter.data.copy_(parameter.data[:1].clone().expand_as(parameter))
    many, _, attention = cells(words, torch.arange(4), 0)
    one, _, alone = cells(words, torch.tensor([2]), 0)
    assert torch.allclose(many, one, atol=1e-6)
    assert torch.allclose(attention, torch.full_like(attention, 0.25))
    assert torch.allclose(alone, torch.ones_like(alone))


def test_both_ways_read_a_sentence_alike_alone_and_padded() -> None:
    torch.manual_seed(0)
    both, types = BothWays(5, 3, 2), torch.arange(2)
    words, lengths = torch.randn(2, 6, 5), torch.tensor([6, 4])
    together = both(words, lengths, types, 0)
    alone = both(words[1:, :4], lengths[1:], types, 0)
    for padded, plain in zip(together, alone, strict=True):
        assert torch.allclose(padded[1:, :4], plain, atol=1e-6)
    turned = both.backwards(words[1:, :4].flip(1), types, 0)[0].flip(1)
    assert torch.allclose(alone[0], torch.cat([both.forwards(words[1:, :4], types, 0)[0], turned], -1), atol=1e-6)


# --- the network -----------------------------------------------------------------------------------------------------


def build(tiny_bert: str, types: list[list[str]], **chosen: object) -> MultiCellTagger:
    torch.manual_seed(0)
    chosen = {"words": {"dropout": 0.0, "encoder_dropout": 0.0}, **chosen}
    return MultiCellTagger(model.load_encoder(tiny_bert), types, options(tiny_bert, **chosen), torch.empty(1, 0)).eval()


def read(tiny_bert: str, network: MultiCellTagger, sentences: list[Sentence], domain: int) -> list[Example]:
    return encode(sentences, model.load_reader(tiny_bert), {}, network.domains[domain], domain)


@pytest.mark.parametrize("attention_loss", ["paper", "code"])
@pytest.mark.parametrize("domain", [0, 1])
def test_the_loss_is_the_sum_of_its_three_parts(tiny_bert: str, domain: int, attention_loss: str) -> None:
    network = build(
        tiny_bert,
        [["a", "b"], ["b", "a", "c"]],
        cells={"types": 0.5, "attention": 2.0, "attention_loss": attention_loss},
        source={"weight": 3.0},
        target={"weight": 1.5},
    )
    examples = read(tiny_bert, network, SENTENCES, domain)
    emissions, cells, attention = network(gather(examples, 0), FP32)
    expected = 0.0
    for n, example in enumerate(examples):
        length = torch.tensor([len(example.tags)])
        crf = network.crf[domain].loss(emissions[n : n + 1], length, torch.tensor([example.tags]))  # type: ignore[operator]
        expected += (3.0 if domain else 1.5) * crf.item()
        types = network.domains[domain].types
        for t, kind in enumerate(example.kinds):
            named = torch.stack([cells[n, t, k] @ network.naming[own] for k, own in enumerate(types)])
            expected -= 0.5 * (named + network.naming_bias[list(types)]).log_softmax(0)[kind].item()
            shares = attention[n, t]
            logs = shares.log() if attention_loss == "paper" else shares.log_softmax(0)
            expected -= 2.0 * logs[kind].item()
    assert Pupil(network, FP32).loss(examples).item() == pytest.approx(expected, rel=1e-4)


def test_domains_share_the_cells_of_their_types_and_nothing_else(tiny_bert: str) -> None:
    network = build(tiny_bert, [["a", "b"], ["a", "c"], ["d"]])
    network.train()
    (example, _) = read(tiny_bert, network, [SENTENCES[0]] * 2, 1)
    torch.autograd.backward(Pupil(network, FP32).loss([example]))
    gradient = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    touched = gradient["cells.forwards.read"].abs().sum((1, 2)) > 0
    assert touched.tolist() == [True, True, False, True, False]  # O, a and c of the inventory O a b c d
    assert [bool(gradient["cells.forwards.held"][side].any()) for side in (0, 1)] == [False, True]
    assert not {name for name in gradient if name.startswith(("emit.0", "crf.0"))}
    own = gradient["emit.1.weight"].abs().sum(1) > 0
    assert own.tolist() == [True] + [True] * 8 + [False] * 4  # d's tags are another source's


def test_a_frozen_encoder_learns_nothing_and_has_no_dropout(tiny_bert: str) -> None:
    network = build(tiny_bert, [["a", "b"]], words={"encoder": "frozen", "dropout": 0.0})
    network.train()
    examples = read(tiny_bert, network, SENTENCES, 0)
    pupil = Pupil(network, FP32)
    assert pupil.loss(examples).item() == pupil.loss(examples).item()
    assert not [name for name, _ in pupil.learnt() if name.startswith("encoder")]
    assert [name for name, _ in Pupil(build(tiny_bert, [["a"]]), FP32).learnt() if name.startswith("encoder")]


def test_a_word_is_read_alike_beside_longer_ones(tiny_bert: str) -> None:
    network = build(tiny_bert, [["a", "b"]])
    examples = read(tiny_bert, network, [*SENTENCES, Sentence("u", ("x" * 40,))], 0)
    together = network.represent(gather(examples, 0), FP32)
    alone = network.represent(gather(examples[1:2], 0), FP32)
    assert torch.allclose(together[1, :2], alone[0], atol=1e-5)
    assert not together[1, 2:].any()
    digits = encode([Sentence("d", ("x12",)), Sentence("e", ("x07",))], model.load_reader(tiny_bert), {})
    assert digits[0].letters == digits[1].letters


# --- batches and rates -----------------------------------------------------------------------------------------------


def pool(size: int, domain: int) -> list[Example]:
    return [Example((), (), (n,), (), (), domain) for n in range(size)]


@pytest.mark.parametrize(
    ("epochs", "order"),
    [
        (None, "TSTSTS"),
        (1, "TTST"),  # 5 batches of sources in 5 epochs
        (2, "TTSTS"),
    ],
)
def test_target_and_sources_alternate(epochs: int | None, order: str) -> None:
    data = Alternating(pool(12, 0), [pool(20, 1)], groups.Source(epochs=epochs), Target(epochs=5, batch_size=4), 0)
    assert data.steps == len(order)
    seen = []
    for epoch in range(5):
        batches = list(data.batches(epoch))
        assert batches == list(data.batches(epoch))
        assert sorted("TS"[b[0].domain] for b in batches) == sorted(order)
        assert all(len({example.domain for example in batch}) == 1 for batch in batches)
        assert sorted(e.rows[0] for b in batches if not b[0].domain for e in b) == list(range(12))
        seen += [e.rows[0] for b in batches if b[0].domain for e in b]
    assert sorted(seen[:20]) == list(range(20))  # all of a source before any of it again
    if epochs is None:
        assert ["TS"[b[0].domain] for b in data.batches(0)] == list(order)


def test_sources_are_drawn_alike_however_large_they_are() -> None:
    data = Alternating(pool(8, 0), [pool(4, 1), pool(400, 2), []], groups.Source(), Target(epochs=100, batch_size=4), 0)
    drawn = [batch[0].domain for epoch in range(100) for batch in data.batches(epoch) if batch[0].domain]
    assert len(drawn) == 200
    assert 70 < drawn.count(1) < 130
    assert Alternating(pool(8, 0), [], groups.Source(), Target(batch_size=4), 0).steps == 2


@pytest.mark.parametrize("epochs", [None, 1])
def test_beside_a_target_without_sentences_no_source_is_learnt(
    epochs: int | None, tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    """It waited for ever for the first batch of the target, between two of which those of sources come."""
    sources, target = domains
    method, run = Mccl(options(tiny_bert, source={"epochs": epochs})), context(tmp_path)
    method.fit(sources, replace(target, train=()), run)
    assert Doubt.NO_STEP in run.doubts
    assert len(list(method.predict([s.unlabeled() for s in target.dev], run))) == len(target.dev)


def test_the_encoder_has_a_rate_of_its_own_and_both_slow_down(tiny_bert: str, tmp_path: Path) -> None:
    group = Target(epochs=10, learning_rate=0.1, encoder_rate=0.01, optimizer="sgd", schedule="inverse")
    network = build(tiny_bert, [["a", "b"]])
    schedule = make_schedule(group, 1, list(network.encoder.parameters()))
    descent = Descent(Pupil(network, FP32), schedule, 20, "target", context(tmp_path).log)
    examples = read(tiny_bert, network, SENTENCES, 0)
    for step, rate in [(0, 0.1), (1, 0.1), (2, 0.1 / 1.03), (19, 0.1 / 1.27)]:
        descent.step(step, examples)
        assert [part["lr"] for part in descent.optimizer.param_groups] == pytest.approx([rate, rate * 0.01])


# --- word vectors ----------------------------------------------------------------------------------------------------


def test_word_vectors_are_read_and_used(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    file = tmp_path / "glove.txt"
    file.write_text("the 1 2 3\nThe 4 5 6\nof -1 0 1e-1\n", encoding="utf-8")
    rows, matrix = vectors.read_vectors(file)
    assert [vectors.find_row(word, rows) for word in ("the", "The", "THE", "Of", "zzz")] == [1, 2, 1, 3, 0]
    assert matrix.tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6], [-1, 0, pytest.approx(0.1)]]
    sources, target = domains
    method, run = Mccl(options(tiny_bert, words={"vectors": file}, target={"epochs": 1})), context(tmp_path)
    method.fit(sources, target, run)
    said = list(method.predict([s.unlabeled() for s in target.dev], run))
    (tmp_path / "model").mkdir()
    method.save(tmp_path / "model")
    file.unlink()
    other = Mccl(method.options)
    other.load(tmp_path / "model", target.types, context(tmp_path / "elsewhere"))
    assert list(other.predict([s.unlabeled() for s in target.dev], run)) == said
    assert torch.equal(other.network.vectors, matrix)


def test_vectors_as_others_write_them(tmp_path: Path) -> None:
    """With how many there are before them (word2vec, fastText), and with words that hold blanks (glove.840B)."""
    file = tmp_path / "vectors.txt"
    file.write_text("3 2\nthe 1 2\n. . . 3 4\nof 5 6 \n", encoding="utf-8")
    rows, matrix = vectors.read_vectors(file)
    assert [vectors.find_row(word, rows) for word in ("the", "of", ". . .", ".", "3")] == [1, 3, 2, 0, 0]
    assert matrix.tolist() == [[0, 0], [1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("the 1 2\nof 1 2 3\n", "vectors.txt:2: this is no line of word vectors, which has a word and 2 numbers"),
        ("3 2\nthe 1 2\nof 1\n", "vectors.txt:3: this is no line"),
        ("the 1 2\nof 1\n", "vectors.txt:2: this is no line of word vectors, which has a word and 2 numbers"),
        ("the 1 x\n", "vectors.txt:1: this is no line"),
        ("the\n", "vectors.txt:1: this is no line"),
        ("the 1 nan\n", "vectors.txt:1: this is no line"),
        ("", "holds no word vectors"),
    ],
)
def test_a_file_of_something_else_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CdnerError, match=problem):
        vectors.read_vectors(file)


# --- the method ------------------------------------------------------------------------------------------------------


def test_it_keeps_the_contract(tiny_bert: str) -> None:
    chosen = {
        "backbone": tiny_bert, "cells.units": 8, "target.epochs": 2, "target.batch_size": 12, "source.sentences": 4,
        "target.learning_rate": 5e-2,
    }  # fmt: skip
    made = list(conformance.check(plugins.discover().get("mccl"), chosen))
    assert [check for check in made if check.problem] == []


def test_it_learns_what_it_is_shown(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    _, target = domains
    method = Mccl(
        options(
            tiny_bert,
            words={"dropout": 0.0, "encoder_dropout": 0.0},
            cells={"units": 24},
            target={"epochs": 40, "learning_rate": 3e-2, "batch_size": 12},
            dev={"every": 40},
        )
    )
    run = context(tmp_path)
    method.fit([], replace(target, dev=target.train), run)
    answers = list(method.predict([s.unlabeled() for s in target.train], run))
    assert total(map(sentence_counts, target.train, answers)).f1 > 60


@pytest.mark.parametrize(("encoder", "optimizer"), [("trained", "adam"), ("frozen", "sgd")])
def test_killed_it_ends_with_the_weights_of_an_undisturbed_run(
    encoder: str,
    optimizer: str,
    tiny_bert: str,
    domains: tuple[list[Corpus], Corpus],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    chosen = {"words": {"encoder": encoder}, "target": {"optimizer": optimizer, "batch_size": 6}}

    def make() -> Mccl:
        return Mccl(options(tiny_bert, **chosen))

    killer, cut = Killer(), Killer({2, 6, 9})
    whole = dict(fit_stubbornly(make, sources, target, tmp_path / "a", killer)[0].network.state_dict())
    again = dict(fit_stubbornly(make, sources, target, tmp_path / "b", cut)[0].network.state_dict())
    assert len(killer.steps) == 8
    assert len(cut.steps) == 8 + 3  # the step in which it was killed is made again
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []
    method = make()
    method.fit(sources, target, context(tmp_path / "c", seed=1))
    assert not torch.equal(method.network.state_dict()["naming"], whole["naming"])


def corpus(name: str, types: tuple[str, ...], size: int = 6) -> Corpus:
    """A domain in which each sentence has an entity of each type, of one word or of three."""
    tokens: list[str] = []
    entities: list[Entity] = []
    for n, kind in enumerate(types):
        length = 1 + 2 * (n % 2)
        entities.append(Entity(len(tokens), len(tokens) + length, kind))
        tokens += [*[f"{kind[:9]}{n}"] * length, "of"]
    train = tuple(Sentence(f"{name}/{n}", tuple(tokens), tuple(entities)) for n in range(size))
    return Corpus(name, types, train=train, dev=train[:1])


@pytest.mark.parametrize(
    ("sources", "target"),
    [
        ([("person", "weekday")], ("person", "x")),  # a type that only the source has, and one without a usable name
        ([("person",)], ("band",)),  # domains of one type
        ([("person",), ("band", "song")], ("__", "…")),
        ([], ("band",)),
        ([("O", "I-x")], ("O", "B-x")),  # types that are called like tags
        ([("person",)], tuple(f"{'a very long name of a type ' * 4}{n}" for n in range(12))),  # more than 512 pieces
    ],
)
def test_label_sets_of_all_kinds(
    sources: list[tuple[str, ...]], target: tuple[str, ...], tiny_bert: str, tmp_path: Path
) -> None:
    method, run, learnt = Mccl(options(tiny_bert)), context(tmp_path), corpus("target", target)
    method.fit([corpus(f"s{n}", types) for n, types in enumerate(sources)], learnt, run)
    (answer,) = method.predict([learnt.train[0].unlabeled()], run)
    assert {entity.type for entity in answer.entities} <= set(target)


def test_a_sentence_is_whole_for_cells_and_tags_however_many_windows_it_has(tiny_bert: str) -> None:
    """An entity across the border of two windows is a legal one."""
    network = build(tiny_bert, [["a"]])
    long = Sentence("long", ("abcdefgh",) * 40, (Entity(0, 40, "a"),))
    (example,) = read(tiny_bert, network, [long], 0)
    assert len(example.windows) > 3
    labels = [network.labels[0][tag] for tag in example.tags]
    assert labels == ["B-a", *["I-a"] * 38, "E-a"]
    assert network(gather([example], 0), FP32)[0].shape[:2] == (1, 40)
    assert Pupil(network, FP32).loss([example]).item() < 1e4


@pytest.mark.parametrize("kind", ["tiny_t5", "tiny_llama"])
def test_a_backbone_that_is_no_encoder_is_refused(
    kind: str, domains: tuple[list[Corpus], Corpus], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sources, target = domains
    with pytest.raises(CdnerError, match="and words are tagged on an encoder") as caught:
        Mccl(options(request.getfixturevalue(kind))).fit(sources, target, context(tmp_path))
    assert "minilm or mpnet" in (caught.value.hint or "")
