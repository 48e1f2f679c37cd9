"""lst-ner: its equations on small tensors, and the method on a tiny random encoder and sentences of the sample."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Corpus, Entity, Sentence, plugins, sentence_counts, total  # noqa: E402
from cdner_bench.errors import CdnerError  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_lst import graphs  # noqa: E402
from cdner_lst.method import LstNer  # noqa: E402
from cdner_lst.model import GraphPupil, LabelGraphTagger, survey  # noqa: E402
from cdner_lst.options import Graph, LstOptions, Target  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.descent import Descent  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402
from cdner_torch.tagging import encoding, model, training  # noqa: E402
from cdner_torch.tagging.options import Network, Source  # noqa: E402
from support import Killer, Listener, change, context, fit_stubbornly  # noqa: E402

FP32 = training.Tagging("cpu", "fp32", 0)
LABELS = ["O", "B-a", "I-a", "B-b", "I-b"]


def draw_nodes(count: int, classes: int, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, classes, generator=generator, dtype=torch.float64).softmax(-1)


def options(tiny_bert: str, **chosen: object) -> LstOptions:
    base = LstOptions(
        backbone=tiny_bert,
        network=Network(precision="fp32"),
        source=Source(epochs=1),
        target=Target(epochs=2, learning_rate=1e-3),
    )
    made: LstOptions = change(base, **chosen)
    return made


# --- the graphs ------------------------------------------------------------------------------------------------------


def test_a_label_lies_at_the_mean_of_its_words_and_an_unseen_one_in_the_middle() -> None:
    probabilities = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    nodes, seen = graphs.place_labels(probabilities, torch.tensor([0, 0, 2]), 3)
    assert nodes.tolist() == [[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]]
    assert seen.tolist() == [True, False, True]
    nodes, seen = graphs.place_labels(torch.empty(0, 4), torch.empty(0, dtype=torch.long), 2)
    assert nodes.tolist() == [[0.25] * 4] * 2
    assert not seen.any()


def test_distances_are_euclidean_with_mean_one() -> None:
    nodes = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]])
    assert graphs.measure_distances(nodes) * 4 == pytest.approx(torch.tensor([[0, 5, 4], [5, 0, 3], [4, 3, 0]]))
    assert not graphs.measure_distances(torch.ones(4, 3)).any()
    assert graphs.measure_distances(torch.ones(1, 3)).tolist() == [[0.0]]


def test_near_labels_are_neighbours_and_far_ones_are_not() -> None:
    distances = torch.tensor([[0.0, 0.5, 3.0], [0.5, 0.0, 2.0], [3.0, 2.0, 0.0]])
    weights = torch.tensor([[1.0, 0.75, 0.0], [0.75, 1.0, 0.0], [0.0, 0.0, 1.0]])
    degree = weights.sum(1)
    expected = torch.tensor(
        [[float(weights[i, j] / (degree[i] * degree[j]).sqrt()) for j in range(3)] for i in range(3)]
    )
    assert torch.allclose(graphs.connect(distances, 2.0), expected)


def test_the_discrepancy_is_the_sum_of_its_definition() -> None:
    source, target = graphs.measure_distances(draw_nodes(3, 4, 0)), graphs.measure_distances(draw_nodes(4, 2, 1))
    coupling = graphs.couple(source, target, 0.1)
    plain = sum(
        (source[i, k] - target[j, n]) ** 2 * coupling[i, j] * coupling[k, n]
        for i in range(3) for k in range(3) for j in range(4) for n in range(4)
    )  # fmt: skip
    assert graphs.measure_discrepancy(source, target, coupling).item() == pytest.approx(float(plain))


@pytest.mark.slow  # half a minute goes to importing POT on a busy core
@pytest.mark.parametrize(("count", "regularisation"), [(3, 0.05), (9, 0.1), (29, 0.05), (35, 0.1)])
def test_coupling_and_discrepancy_are_those_of_pot(count: int, regularisation: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gromov = pytest.importorskip("ot").gromov
        source = graphs.measure_distances(draw_nodes(count, 9, count))
        target = graphs.measure_distances(draw_nodes(count, count, 1))
        uniform = torch.full((count,), 1 / count, dtype=torch.float64)
        theirs = gromov.entropic_gromov_wasserstein(
            source, target, uniform, uniform, "square_loss", epsilon=regularisation, max_iter=graphs.OUTER, tol=0
        )
    ours = graphs.couple(source, target, regularisation)
    assert torch.allclose(ours, theirs, atol=1e-3 / count)
    assert torch.allclose(ours.sum(0), uniform, atol=1e-3 / count)
    parts = gromov.init_matrix(source, target, theirs.sum(1), theirs.sum(0))
    assert graphs.measure_discrepancy(source, target, theirs).item() == pytest.approx(
        gromov.gwloss(*parts, theirs).item(), abs=1e-9
    )


def test_the_discrepancy_moves_the_target_s_nodes_and_only_they() -> None:
    source = graphs.measure_distances(draw_nodes(5, 4, 0))
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)

    def discrepancy(values: Any, coupling: Any) -> Any:
        return graphs.measure_discrepancy(source, graphs.measure_distances(values.softmax(-1)), coupling)

    coupling = graphs.couple(source, graphs.measure_distances(logits.detach().softmax(-1)), 0.05)
    assert torch.autograd.gradcheck(lambda values: discrepancy(values, coupling), logits)
    torch.autograd.backward(discrepancy(logits, coupling))
    assert logits.grad is not None
    assert logits.grad.abs().max() > 1e-4
    steps = [logits.detach() - rate * logits.grad for rate in (0.0, 0.1)]
    assert discrepancy(steps[1], coupling) < discrepancy(steps[0], coupling)


def test_labels_that_lie_at_one_place_have_a_finite_gradient() -> None:
    nodes = torch.full((4, 4), 0.25, requires_grad=True)
    source = graphs.measure_distances(draw_nodes(4, 3, 0)).float()
    target = graphs.measure_distances(nodes)
    torch.autograd.backward(graphs.measure_discrepancy(source, target, graphs.couple(source, target, 0.05)))
    assert nodes.grad is not None
    assert torch.isfinite(nodes.grad).all()


# --- the network -----------------------------------------------------------------------------------------------------


@pytest.fixture
def tagger(tiny_bert: str) -> LabelGraphTagger:
    torch.manual_seed(0)
    made = LabelGraphTagger(model.load_encoder(tiny_bert), LABELS, [LABELS]).eval()
    made.connect(torch.rand(5, 3).softmax(-1), 1.5)
    return made


SENTENCES = [
    Sentence("s", ("neural", "network", "of", "x"), (Entity(0, 2, "a"),)),
    Sentence("t", ("y", "of"), (Entity(0, 1, "b"),)),
]


def test_fusing_is_a_loop_written_plainly(tiny_bert: str, tagger: LabelGraphTagger) -> None:
    batch = encoding.collate(model.load_reader(tiny_bert).read(SENTENCES, LABELS), 0)
    logits, occurs = tagger.read(batch.ids, batch.attention)
    for n in range(2):
        length = int(batch.attention[n].sum())
        hidden = tagger.encoder(input_ids=batch.ids[n : n + 1, :length]).last_hidden_state[0]
        queries = [tagger.query(h) for h in hidden]
        said = []
        for vector in tagger.vectors:
            shares = torch.stack([q @ vector for q in queries]).softmax(0)
            said.append(sum(share * q for share, q in zip(shares, queries, strict=True)))
        passed = [
            torch.relu(tagger.passing(sum(edge * s for edge, s in zip(row, said, strict=True)))) for row in tagger.edges
        ]
        for j, (h, q) in enumerate(zip(hidden, queries, strict=True)):
            shares = torch.stack([q @ s for s in passed]).softmax(0)
            fused = h + tagger.fusing(sum(share * s for share, s in zip(shares, passed, strict=True)))
            assert torch.allclose(tagger.head(fused), logits[n, j], atol=1e-5)
        for kind in range(2):
            assert torch.allclose(tagger.occurring[kind] @ passed[1 + 2 * kind], occurs[n, kind], atol=1e-5)


def test_the_loss_is_the_sum_of_its_three_parts(tiny_bert: str, tagger: LabelGraphTagger) -> None:
    windows = model.load_reader(tiny_bert).read(SENTENCES, LABELS)
    batch, before = encoding.collate(windows, 0), tagger.nodes.detach().clone()
    logits, occurs = (part.detach() for part in tagger.read(batch.ids, batch.attention))
    gold = batch.labels.flatten()
    words = torch.nn.functional.cross_entropy(logits.flatten(0, 1)[gold != -100], gold[gold != -100], reduction="sum")
    kinds = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    types = torch.nn.functional.binary_cross_entropy_with_logits(occurs, kinds, reduction="none").mean(1)
    placed, seen = graphs.place_labels((logits.flatten(0, 1)[gold != -100] / 4).softmax(-1), gold[gold != -100], 5)
    assert seen.tolist() == [True, True, True, True, False]
    moved = torch.where(seen[:, None], 0.75 * before + 0.25 * placed, before)
    target = graphs.measure_distances(moved)
    graph = graphs.measure_discrepancy(tagger.apart, target, graphs.couple(tagger.apart, target, 0.05))
    pupil = GraphPupil(tagger, FP32, Graph(momentum=0.75, matching=0.5, auxiliary=2.0))
    expected = words + 0.5 * graph * 6 + 2.0 * (4 * types[0] + 2 * types[1])
    assert pupil.loss(windows).item() == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(tagger.nodes, moved, atol=1e-6)


def test_every_weight_learns_and_the_nodes_do_not(tiny_bert: str, tagger: LabelGraphTagger) -> None:
    windows = model.load_reader(tiny_bert).read(SENTENCES, LABELS)
    tagger.train()
    torch.autograd.backward(GraphPupil(tagger, FP32, Graph()).loss(windows))
    still = {name for name, p in tagger.named_parameters() if p.grad is None or not p.grad.any()}
    assert still - {name for name in still if name.startswith("encoder.")} == {"nodes"}
    graph = [GraphPupil(tagger, FP32, Graph(matching=weight, auxiliary=0.0)) for weight in (0.0, 1.0)]
    losses = []
    for pupil in graph:
        tagger.zero_grad()
        torch.autograd.backward(pupil.loss(windows))
        assert tagger.head.weight.grad is not None
        losses.append(tagger.head.weight.grad.clone())
    assert not torch.allclose(losses[0], losses[1], atol=1e-6)  # the matching has a gradient of its own


def test_parts_that_are_thrown_away_move_no_node(
    tiny_bert: str, tagger: LabelGraphTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a retry for want of memory, the nodes are where the parts that counted have moved them."""
    windows, nodes = model.load_reader(tiny_bert).read([*SENTENCES, *SENTENCES], LABELS), []
    real, begun = GraphPupil.loss, tagger.nodes.detach().clone()

    def loss(self: GraphPupil, part: Any) -> Any:
        made = real(self, part)
        if len(part) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return made

    monkeypatch.setattr(GraphPupil, "loss", loss)
    for parts in (1, 4):
        tagger.nodes.data.copy_(begun)
        descent = Descent(
            GraphPupil(tagger, FP32, Graph()), Schedule(1, 4, 0.0, parts=parts), 1, "target", context(tmp_path).log
        )
        tagger.set_dropout(0.0)
        descent.step(0, windows)
        nodes.append(tagger.nodes.detach().clone())
    assert descent.parts == 4
    assert not torch.equal(nodes[0], begun)
    assert torch.equal(*nodes)


# --- the method ------------------------------------------------------------------------------------------------------


def test_it_keeps_the_contract(tiny_bert: str) -> None:
    chosen = {"backbone": tiny_bert, "target.epochs": 1, "target.learning_rate": 1e-2}
    made = list(conformance.check(plugins.discover().get("lst-ner"), chosen))
    assert [check for check in made if check.problem] == []


def test_it_learns_what_it_is_shown(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    sources, target = domains
    seen = replace(target, dev=target.train)
    method = LstNer(
        options(tiny_bert, finetuning={"dropout": 0.0}, target={"epochs": 40, "learning_rate": 5e-3}, dev={"every": 40})
    )
    run = context(tmp_path)
    method.fit(sources[:1], seen, run)
    answers = list(method.predict([s.unlabeled() for s in target.train], run))
    assert total(map(sentence_counts, target.train, answers)).f1 > 60


def test_killed_at_any_stage_it_ends_with_the_weights_of_an_undisturbed_run(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    chosen = {"finetuning": {"batch_size": 4, "dropout": 0.1}, "graph": {"matching": 1.0}}

    def make() -> LstNer:
        return LstNer(options(tiny_bert, **chosen))

    killer = Killer()
    whole = dict(fit_stubbornly(make, sources, target, tmp_path / "a", killer)[0].tagger.state_dict())
    phases = [name for name, _ in killer.steps]
    assert set(phases) == {"source", "target"}
    cut = Killer({3, phases.index("target") + 3, len(phases)})
    again = dict(fit_stubbornly(make, sources, target, tmp_path / "b", cut)[0].tagger.state_dict())
    assert len(cut.steps) > len(killer.steps)
    assert whole.keys() == again.keys()
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []
    other = context(tmp_path / "c", seed=1)
    method = make()
    method.fit(sources, target, other)
    assert not torch.equal(method.tagger.state_dict()["vectors"], whole["vectors"])


def corpus(name: str, types: tuple[str, ...], size: int = 6) -> Corpus:
    """A domain in which each sentence has an entity of each type."""
    words = tuple(f"{kind[:9]} of" for kind in types)
    tokens = tuple(token for pair in words for token in pair.split(" "))
    entities = tuple(Entity(2 * n, 2 * n + 1, kind) for n, kind in enumerate(types))
    train = tuple(Sentence(f"{name}/{n}", tokens, entities) for n in range(size))
    return Corpus(name, types, train=train, dev=train[:1])


@pytest.mark.parametrize(
    ("sources", "target"),
    [
        ([("person", "weekday")], ("person", "x")),  # a type that only the source has, and one without a usable name
        ([("person",)], ("band",)),  # domains of one type
        ([("person",), ("band", "song")], ("__", "…")),
        ([], ("band",)),
        ([("person",)], tuple(f"{'a very long name of a type ' * 4}{n}" for n in range(12))),  # more than 512 pieces
    ],
)
def test_label_sets_of_all_kinds(
    sources: list[tuple[str, ...]], target: tuple[str, ...], tiny_bert: str, tmp_path: Path
) -> None:
    method, run = LstNer(options(tiny_bert)), context(tmp_path)
    heard = Listener()
    run.observer = heard
    learnt = corpus("target", target)
    method.fit([corpus(f"s{n}", types) for n, types in enumerate(sources)], learnt, run)
    (answer,) = method.predict([learnt.train[0].unlabeled()], run)
    assert {entity.type for entity in answer.entities} <= set(target)
    tagger: Any = method.tagger
    assert tagger.nodes.shape == (2 * len(target) + 1,) * 2
    assert bool(tagger.apart.any()) == bool(sources)
    assert any("no graph" in note for note in heard.notes) != bool(sources)


def test_the_graph_is_what_the_source_model_says_of_the_target_s_words(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus]
) -> None:
    _, target = domains
    source = model.Tagger(model.load_encoder(tiny_bert), LABELS, [LABELS])
    labels = model.bio_labels(target.types)
    windows = model.load_reader(tiny_bert).read(target.train, labels)
    nodes = survey(source, windows, len(labels), FP32, 2.0)
    rows: dict[int, list[Any]] = {}
    for window in windows:
        batch = encoding.collate([window], 0)
        for place, label in zip(window.first, window.labels, strict=True):
            logits = source(batch.ids, batch.attention, batch.domains)[0, place]
            rows.setdefault(label, []).append((logits / 2).softmax(-1).detach())
    for label in range(len(labels)):
        expected = torch.stack(rows[label]).mean(0) if label in rows else torch.full((5,), 0.2)
        assert torch.allclose(nodes[label], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["tiny_t5", "tiny_bart", "tiny_llama"])
def test_a_backbone_that_is_no_encoder_is_refused(
    kind: str, domains: tuple[list[Corpus], Corpus], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sources, target = domains
    with pytest.raises(CdnerError, match="and words are tagged on an encoder") as caught:
        LstNer(options(request.getfixturevalue(kind))).fit(sources, target, context(tmp_path))
    assert "minilm or mpnet" in (caught.value.hint or "")
