"""Random sentences and predictions for property-based tests."""

from __future__ import annotations

from hypothesis import strategies as st

from cdner_bench import Entity, Prediction, Rejected, Sentence, conll

TYPES = ("person", "location", "misc")
WORDS = ("Ada", "Paris", "of", ",", "(", ")", "the", "Smith", "’s", "New", "York")


@st.composite
def spans(draw: st.DrawFn, length: int) -> tuple[Entity, ...]:
    """Non-overlapping entities over `length` tokens: legal BIO, in other words."""
    tags = draw(
        st.lists(
            st.sampled_from(["O", *(f"{p}-{t}" for p in "BI" for t in TYPES)]),
            min_size=length,
            max_size=length,
        )
    )
    return conll.chunks(tags)


@st.composite
def sentences(draw: st.DrawFn, n: int = 0) -> Sentence:
    tokens = tuple(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)))
    return Sentence(f"x/test/{n}", tokens, draw(spans(len(tokens))))


@st.composite
def any_entities(draw: st.DrawFn, length: int) -> tuple[Entity, ...]:
    """Entities that may overlap."""
    pairs = st.tuples(st.integers(0, length - 1), st.integers(1, 4), st.sampled_from(TYPES))
    found = draw(st.lists(pairs, max_size=5))
    return tuple(Entity(start, min(start + size, length), kind) for start, size, kind in found)


rejections = st.builds(
    Rejected,
    st.sampled_from([*TYPES, "city", "?"]),
    st.sampled_from(["Alan Turing", "Paris", "x"]),
    st.sampled_from(["not in sentence", "unknown type", "malformed", "repeat"]),
)


@st.composite
def pairs(draw: st.DrawFn, *, overlapping: bool = True, unplaced: bool = True) -> list[tuple[Sentence, Prediction]]:
    """A small corpus with predictions."""
    found = []
    for n in range(draw(st.integers(1, 5))):
        sentence = draw(sentences(n))
        length = len(sentence.tokens)
        said = draw(any_entities(length) if overlapping else spans(length))
        kept = (
            draw(st.lists(st.sampled_from(sentence.entities), unique=True)) if sentence.entities and overlapping else []
        )
        rejected = tuple(draw(st.lists(rejections, max_size=3))) if unplaced else ()
        found.append((sentence, Prediction(sentence.id, tuple({*said, *kept}), rejected)))
    return found
