"""Labels as the nodes of a graph: where they lie, how far apart, which are neighbours, and how alike two graphs are."""

from __future__ import annotations

import torch
from torch import Tensor

OUTER, INNER = 20, 20
"""How often the coupling is renewed, and how often it is scaled to its margins each time."""


def place_labels(probabilities: Tensor, labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Where each of `count` labels lies, and whether it was seen: the mean of the probabilities (words, classes) of
    the words that have it, and the uniform distribution for one that no word has.
    """
    belongs = torch.nn.functional.one_hot(labels, count).to(probabilities).T
    words = belongs.sum(1, keepdim=True)
    means = belongs @ probabilities / words.clamp(min=1)
    return torch.where(words > 0, means, 1 / probabilities.shape[1]), words[:, 0] > 0


def measure_distances(nodes: Tensor) -> Tensor:
    """Euclidean distances of all pairs, their mean being 1; all 0 where all nodes are one."""
    apart = torch.cdist(nodes, nodes, compute_mode="donot_use_mm_for_euclid_dist")
    pairs = max(1, len(nodes) * (len(nodes) - 1))
    return apart / (apart.sum() / pairs).clamp(min=1e-9)


def connect(distances: Tensor, reach: float) -> Tensor:
    """The adjacency D^-½ A D^-½: an edge of weight 1 - d / reach where labels are nearer than `reach`, and every label
    its own neighbour.
    """
    weights = (1 - distances / reach).clamp(min=0)
    weights = weights.fill_diagonal_(1.0)
    degree = weights.sum(1).rsqrt()
    return degree[:, None] * weights * degree


@torch.no_grad()
def couple(source: Tensor, target: Tensor, regularisation: float) -> Tensor:
    """The entropic Gromov-Wasserstein coupling of two matrices of distances, uniform in both margins."""
    rows, columns = len(source), len(target)
    margin_s, margin_t = source.new_full((rows,), 1 / rows), target.new_full((columns,), 1 / columns)
    own = (source**2 @ margin_s)[:, None] + target**2 @ margin_t
    coupling = margin_s[:, None] * margin_t
    f, g = torch.zeros_like(margin_s), torch.zeros_like(margin_t)
    for _ in range(OUTER):
        kernel = -2 * (own - 2 * source @ coupling @ target.T) / regularisation
        for _ in range(INNER):
            g = margin_t.log() - torch.logsumexp(kernel + f[:, None], 0)
            f = margin_s.log() - torch.logsumexp(kernel + g, 1)
        coupling = (kernel + f[:, None] + g).exp()
    return coupling


def measure_discrepancy(source: Tensor, target: Tensor, coupling: Tensor) -> Tensor:
    """Σ |source(i, k) - target(j, l)|² T(i, j) T(k, l), with a gradient for both matrices and none for T."""
    margin_s, margin_t = coupling.sum(1), coupling.sum(0)
    squares = margin_s @ source**2 @ margin_s + margin_t @ target**2 @ margin_t
    return squares - 2 * (source @ coupling @ target.T * coupling).sum()
