"""The conditional random field, against the enumeration of all sequences of tags; and BIOES."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import Entity, conll  # noqa: E402
from cdner_torch.crf import Crf  # noqa: E402
from cdner_torch.tagging.bioes import bioes_labels, bioes_tags, list_legal, to_bio  # noqa: E402

LENGTHS = torch.tensor([4, 1, 2])


def make(first: Any, follow: Any, last: Any) -> tuple[Crf, Any]:
    """A field and emissions at random, in double precision."""
    torch.manual_seed(0)
    crf = Crf(first, follow, last).double()
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf, torch.randn(3, 4, len(first), dtype=torch.float64)


def free(tags: int) -> tuple[Any, Any, Any]:
    return torch.ones(tags).bool(), torch.ones(tags, tags).bool(), torch.ones(tags).bool()


def enumerate_scores(crf: Crf, emissions: Any, length: int) -> dict[tuple[int, ...], Any]:
    """The score of each sequence of tags, summed plainly."""
    scores = {}
    for tags in product(range(emissions.shape[1]), repeat=length):
        score = crf.first[tags[0]] + crf.barred_first[tags[0]] + crf.last[tags[-1]] + crf.barred_last[tags[-1]]
        score = score + sum(emissions[place, tag] for place, tag in enumerate(tags))
        for before, after in pairwise(tags):
            score = score + crf.follow[before, after] + crf.barred[before, after]
        scores[tags] = score.detach()
    return scores


@pytest.mark.parametrize("allowed", [free(3), list_legal(bioes_labels(["x"]))], ids=["free", "bioes"])
def test_partition_score_and_best_path_are_those_of_enumeration(allowed: Any) -> None:
    crf, emissions = make(*allowed)
    scores = [enumerate_scores(crf, row, length) for row, length in zip(emissions, LENGTHS.tolist(), strict=True)]
    partition = crf.partition(emissions, LENGTHS)
    for row, own in enumerate(scores):
        assert partition[row].item() == pytest.approx(torch.stack(list(own.values())).logsumexp(0).item())
    best = [max(own, key=lambda tags: float(own[tags])) for own in scores]
    assert crf.decode(emissions, LENGTHS) == [list(tags) for tags in best]
    padded = torch.tensor([[*tags, *[1] * (4 - len(tags))] for tags in best])
    assert crf.score(emissions, LENGTHS, padded).tolist() == pytest.approx(
        [float(own[tags]) for own, tags in zip(scores, best, strict=True)]
    )
    losses = crf.loss(emissions, LENGTHS, padded)
    assert (losses > 0).all()
    torch.autograd.backward(losses.sum())
    assert all(torch.isfinite(p.grad).all() for p in crf.parameters() if p.grad is not None)


def test_the_loss_has_the_gradient_of_its_definition() -> None:
    crf, emissions = make(*list_legal(bioes_labels(["x"])))
    tags = torch.tensor([[1, 2, 3, 0], [4, 0, 0, 0], [0, 4, 0, 0]])
    assert torch.autograd.gradcheck(lambda given: crf.loss(given, LENGTHS, tags), emissions.requires_grad_())


def test_what_is_not_legal_is_never_decoded_and_costs_nothing() -> None:
    labels = bioes_labels(["x", "y"])
    crf, emissions = make(*list_legal(labels))
    emissions[..., 2] += 50.0  # I-x everywhere
    for path in crf.decode(emissions, LENGTHS):
        tags = [labels[tag] for tag in path]
        assert bioes_tags(conll.chunks(to_bio(tags)), len(tags)) == tags
    assert torch.isfinite(crf.partition(emissions, LENGTHS)).all()
    assert (crf.partition(emissions, LENGTHS) > -1000).all()


@pytest.mark.parametrize(
    ("entities", "tags"),
    [
        ([], "O O O O"),
        ([(0, 1, "x")], "S-x O O O"),
        ([(0, 2, "x"), (2, 4, "x")], "B-x E-x B-x E-x"),
        ([(0, 3, "x"), (3, 4, "a-b")], "B-x I-x E-x S-a-b"),
        ([(0, 4, "x")], "B-x I-x I-x E-x"),
    ],
)
def test_bioes_there_and_back(entities: list[tuple[int, int, str]], tags: str) -> None:
    found = tuple(Entity(*entity) for entity in entities)
    assert bioes_tags(found, 4) == tags.split()
    assert to_bio(tags.split()) == conll.tags(found, 4)


def test_legal_is_what_some_entities_have() -> None:
    """Of all sequences of three labels, those that the tags of some entities are."""
    labels = bioes_labels(["x", "y"])
    first, follow, last = list_legal(labels)
    for path in product(range(len(labels)), repeat=3):
        legal = first[path[0]] and follow[path[0], path[1]] and follow[path[1], path[2]] and last[path[2]]
        tags = [labels[tag] for tag in path]
        assert bool(legal) == (bioes_tags(conll.chunks(to_bio(tags)), 3) == tags), tags
