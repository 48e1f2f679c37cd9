"""Corpora judged by how they spread information: uniform information density, entropy, and what is in them."""

from cdner_bench import Spec, hookimpl


@hookimpl
def register_analyses() -> list[Spec]:
    """The three analyses of this plugin: `uid`, `entropy` and `corpus-stats`."""
    return [
        Spec(
            "uid",
            "cdner_density.uid:UniformInformationDensity",
            "how evenly a corpus spreads information: surprisal per unit, its mean and variance",
            extra="density",
            revision=1,
        ),
        Spec(
            "entropy",
            "cdner_density.entropy:Entropy",
            "joint bigram entropy per unit; conditional and unigram entropy of the corpus",
            extra="density",
            revision=1,
        ),
        Spec(
            "corpus-stats",
            "cdner_density.stats:CorpusStatistics",
            "tokens, types, units; what a corpus says about its domain, and what it knows of dev and test",
            revision=1,
        ),
    ]
