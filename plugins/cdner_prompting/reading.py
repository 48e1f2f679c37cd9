"""Answers in JSON as they are asked for, and the vote of several."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cdner_bench import Entity, Prediction, Sentence, text2text


def schema(types: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of an answer: a list of entities, each with a type of the domain and its text."""
    entity = {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": sorted(types)}, "text": {"type": "string"}},
        "required": ["type", "text"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"entities": {"type": "array", "items": entity}},
        "required": ["entities"],
        "additionalProperties": False,
    }


def in_json(prompt: str) -> str:
    """The shared prompt with another answer format: only the sentence about the format differs."""
    return prompt.replace(
        "Please answer in the format (entity type, entity).",
        'Please answer in JSON, {"entities": [{"type": entity type, "text": entity}, ...]}.',
    )


def as_json(sentence: Sentence) -> str:
    """The answer for the gold entities."""
    return json.dumps(
        {"entities": [{"type": e.type, "text": sentence.surface(e)} for e in sentence.entities]}, ensure_ascii=False
    )


def fits(text: str) -> bool:
    """Whether an answer has the schema's shape, behind thinking and in a fence too, which reading takes off; a type the
    domain does not have is left to the scorer.
    """
    bare, unended = text2text.unwrap(text, "")
    return any(text2text.read_exactly(t) is not None for t in ([text] if unended else [text, bare]))


def vote(predictions: Sequence[Prediction]) -> Prediction:
    """What more than half of several predictions for one sentence say, the unplaceable included.

    Of entities that overlap, the one with more votes stays, then the first. If something was cut in one of them, it was
    in all.
    """
    if len(predictions) == 1:
        return predictions[0]
    entities = Counter(e for p in predictions for e in dict.fromkeys(p.entities))
    rejected = Counter(r for p in predictions for r in dict.fromkeys(p.rejected))
    needed = len(predictions) // 2 + 1
    chosen: list[Entity] = []
    for entity in sorted(entities, key=lambda e: (-entities[e], e)):
        if entities[entity] >= needed and all(entity.end <= e.start or e.end <= entity.start for e in chosen):
            chosen.append(entity)
    kept = tuple(r for r, votes in rejected.items() if votes >= needed)
    cut = tuple(dict.fromkeys(part for p in predictions for part in p.cut))
    return Prediction(predictions[0].sentence_id, tuple(sorted(chosen)), kept, cut=cut)
