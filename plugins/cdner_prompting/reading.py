"""From answers to predictions: JSON answers, and the vote of several."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cdner_bench import Entity, Prediction, Reason, Rejected, Sentence, text2text


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
    """Whether an answer has the schema's shape; a type the domain does not have is left to the scorer."""
    return _read_mentions(text) is not None


def from_json(text: str, sentence: Sentence, types: Sequence[str]) -> Prediction:
    """Read a JSON answer. Of one that is cut off or otherwise broken, whole entities count, the rest is malformed."""
    mentions = _read_mentions(text)
    rest: list[str] = []
    if mentions is None:
        mentions, rest = _salvage(text)
    entities, rejected = text2text.align(mentions, sentence.tokens, types)
    rejected += [Rejected("?", piece, Reason.MALFORMED) for piece in rest]
    said = " ".join([*(f"({m.type}, {m.text})" for m in mentions), *rest])  # for protocols that read the shared format
    return Prediction(sentence.id, tuple(sorted(entities)), tuple(rejected), raw=said)


def vote(predictions: Sequence[Prediction]) -> Prediction:
    """What more than half of several predictions for one sentence say, the unplaceable included.

    Of entities that overlap, the one with more votes stays, then the first.
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
    return Prediction(predictions[0].sentence_id, tuple(sorted(chosen)), kept)


def _read_mentions(text: str) -> list[text2text.Mention] | None:
    try:
        items = json.loads(text)["entities"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    mentions = [_read_mention(item) for item in items] if isinstance(items, list) else [None]
    return [m for m in mentions if m] if all(mentions) else None


def _read_mention(item: object) -> text2text.Mention | None:
    if not isinstance(item, dict):
        return None
    kind, words = item.get("type"), item.get("text")
    if not (isinstance(kind, str) and isinstance(words, str) and kind.strip() and words.strip()):
        return None
    return text2text.Mention(kind, " ".join(words.split()))


def _salvage(text: str) -> tuple[list[text2text.Mention], list[str]]:
    """The entities of broken JSON, and the pieces between them that say something."""
    text = re.sub(r"```(?:json)?", " ", text)
    mentions, pieces, end = [], [], 0
    for start in (match.start() for match in re.finditer(r"\{", text)):
        if start < end:
            continue
        try:
            item, after = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        mention = _read_mention(item)
        if mention:
            mentions.append(mention)
            pieces.append(text[end:start])
            end = after
    pieces.append(text[end:])
    scaffold = r'\{\s*"entities"\s*:\s*(?:null\b|[\[{])|[\s,\[\]{}]+$|^[\s,\[\]{}]+'
    said = [re.sub(scaffold, "", piece.strip()).strip(" \t\r\n,[]{}") for piece in pieces]
    return mentions, [piece for piece in said if piece]
