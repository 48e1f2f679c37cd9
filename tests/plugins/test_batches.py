"""How items become batches."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from cdner_torch.batches import InMemory, shuffle, split  # noqa: E402
from cdner_torch.descent import Descent  # noqa: E402
from cdner_torch.learner import NEVER, Learner  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402


def pad_share(groups: list[list[str]]) -> float:
    """The share of what is computed that is padding."""
    whole = sum(len(group) * max(map(len, group)) for group in groups)
    return 1 - sum(len(item) for group in groups for item in group) / whole


@pytest.mark.parametrize(("count", "size"), [(100, 8), (100, 16), (165, 8), (40, 8)])
def test_a_small_set_is_grouped_otherwise_in_each_epoch(count: int, size: int) -> None:
    """Until revision 2, 11 of the 13 batches of 100 sentences were the same in every epoch."""
    items = [f"{n:03}" + "x" * n for n in range(count)]
    data = InMemory(lambda _: items, size, 0)
    epochs = [{frozenset(batch) for batch in data.batches(epoch)} for epoch in range(5)]
    assert all(len(batches) == data.steps for batches in epochs)
    assert all(frozenset.union(*batches) == frozenset(items) for batches in epochs)
    assert all(len(a & b) <= 1 for a in epochs for b in epochs if a is not b)


def test_a_large_set_is_grouped_by_length() -> None:
    generator = torch.Generator().manual_seed(0)
    items = ["x" * (1 + int(n)) for n in torch.randint(100, (4000,), generator=generator)]
    assert pad_share(shuffle(items, 8, generator)) < 0.1
    assert pad_share(shuffle(items[:100], 8, generator)) > 0.2


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    size=st.integers(1, 8),
    cells=st.integers(1, 400),
    spare=st.sampled_from([0, 1, 5, 40, NEVER]),
)
def test_a_batch_is_split_into_the_parts_that_cost_least(lengths: list[int], size: int, cells: int, spare: int) -> None:
    def cost(groups: Iterable[Sequence[Sequence[int]]]) -> int:
        return sum(len(group) * max(map(len, group)) + spare for group in groups)

    def fits(group: Sequence[Sequence[int]]) -> bool:
        return len(group) == 1 or (len(group) <= size and len(group) * max(map(len, group)) ** 2 <= cells)

    items = [[n] * length for n, length in enumerate(lengths)]
    found = split(items, size, cells, spare)
    assert sorted(item for group in found for item in group) == sorted(items)
    assert all(map(fits, found))
    numbers = {id(item): n for n, item in enumerate(items)}
    assert all(numbers[id(one)] < numbers[id(other)] for group in found for one, other in pairwise(group))
    ordered = sorted(items, key=len)
    longest_first = [len(item) for group in found for item in sorted(group, key=len, reverse=True)]
    assert longest_first == sorted(lengths, reverse=True)
    ways = []
    for cuts in product([False, True], repeat=len(items) - 1):
        ends = [n for n, cut in enumerate(cuts, 1) if cut] + [len(items)]
        ways.append([ordered[begin:end] for begin, end in pairwise([0, *ends])])
    assert cost(found) == min(cost(way) for way in ways if all(map(fits, way)))


def test_parts_of_similar_length_are_for_processors_and_change_no_gradient() -> None:
    """Padding of a batch of a small target was as much as its text."""

    class Sums(Learner[list[float]]):
        network = torch.nn.Linear(1, 1)
        seen: ClassVar[list[int]] = []

        def loss(self, items: Sequence[list[float]]) -> Any:
            self.seen.append(len(items))
            return sum(self.network(torch.tensor([[x]])).sum() ** 2 for item in items for x in item)

        def terms(self, items: Sequence[list[float]]) -> int:
            return sum(map(len, items))

    batch, gradients = [[0.5] * 3, [0.25] * 300, [0.125] * 2, [2.0] * 298], []
    for spare in (64, NEVER):
        learner = Sums()
        learner.spare = spare
        descent = Descent(learner, Schedule(1, 4, 0.0), 1, "t", logging.getLogger("t"))
        loss = descent.step(0, batch)
        gradients.append((loss, learner.network.weight.grad.item()))
    assert Sums.seen == [2, 2, 4]
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-5)


def test_a_rate_that_falls_does_so_while_it_rises_and_comes_to_one_less_the_warm_up() -> None:
    """As the pages of cp-ner, lst-ner and gliner2 say."""
    rates = [Schedule(1, 8, 2.0, warmup=0.1).rate(step, 10_000) for step in range(10_000)]
    assert max(rates) == rates[999] == pytest.approx(2.0 * 0.9, rel=1e-3)
    assert rates[499] == pytest.approx(2.0 * 0.5 * 0.95, rel=1e-3)
    assert rates[-1] == pytest.approx(2.0 / 10_000)
