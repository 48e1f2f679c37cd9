"""Cleaning generated explanations by rules that are data:
`benchmarks/reference/gtok-rules.toml`, or anyone's file like it.

Replacements change the text of explanations, one after the other and again until nothing changes, so that what is
clean stays as it is. Then drops take out whole explanations; each is counted under the first rule that takes it.
Records left without explanations go too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..io import TomlTable, find_benchmarks_dir, sha256, write_atomic
from ..types import Corpus
from . import gtok, leaks
from .gtok import Explanation, Record
from .leaks import HeldOut

# Replacements that do not settle: so many rounds without a shorter text, or a text so many times as long.
PATIENCE, GROWTH = 20, 10


@dataclass(frozen=True, slots=True)
class Rule:
    """What it looks for, and why. A rule with a `text` replaces what it finds by that, one without drops."""

    name: str
    pattern: re.Pattern[str]
    reason: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Replacements and drops, each in order, and the file they come from."""

    path: Path
    replacements: tuple[Rule, ...]
    drops: tuple[Rule, ...]

    def replace(self, text: str) -> tuple[str, list[str]]:
        """The text when no replacement changes it any more, and the names of those that did, in order.

        Raises `DataError` that names the rules if they never settle.
        """
        names: dict[str, None] = {}
        changed: list[str] = []
        patience, most = PATIENCE, GROWTH * (len(text) + 100)
        while patience and len(text) < most:
            before, changed = text, []
            for rule in self.replacements:
                after = rule.pattern.sub((rule.text or "").replace("\\", r"\\"), text)
                if after != text:
                    changed.append(rule.name)
                text = after
            names.update(dict.fromkeys(changed))
            if text == before:
                return text, list(names)
            patience -= len(text) >= len(before)
        raise DataError(
            f"{self.path}: {', '.join(f'rule {name!r}' for name in changed)} changes its own result again and again",
            hint="a replacement must not contain what its pattern, or that of a rule before it, finds",
        )

    def find_drop(self, text: str) -> str | None:
        """The name of the first rule that takes an explanation out, or None."""
        return next((rule.name for rule in self.drops if rule.pattern.search(text)), None)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one rule did: how many explanations of each entity type it changed or dropped."""

    name: str
    action: str
    reason: str
    types: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Report:
    """What cleaning did. Counts are (before, after)."""

    records: tuple[int, int]
    explanations: tuple[int, int]
    effects: tuple[Effect, ...]

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON-able value."""
        return {
            **{name: dict(zip(("before", "after"), getattr(self, name), strict=True)) for name in _COUNTED},
            "rules": [
                {
                    "name": e.name,
                    "action": e.action,
                    "reason": e.reason,
                    "explanations": e.types.total(),
                    "types": dict(sorted(e.types.items())),
                }
                for e in self.effects
            ],
        }


_COUNTED = ("records", "explanations")


def clean(records: Sequence[Record], rules: Rules, held_out: HeldOut | None = None) -> tuple[list[Record], Report]:
    """The records after all rules, and what each rule did; with `held_out`, also without what leaks."""
    effects = {
        **{rule.name: Effect(rule.name, "changed", rule.reason) for rule in rules.replacements},
        **{rule.name: Effect(rule.name, "dropped", rule.reason) for rule in rules.drops},
        **{name: Effect(name, "dropped", why) for name, why in leaks.REASONS.items() if held_out is not None},
    }
    cleaned = []
    for record in records:
        kept = tuple(e for said in record.explanations if (e := _clean(said, rules, held_out, effects)) is not None)
        if kept:
            cleaned.append(Record(record.sentence, kept))
    counts = [sum(len(r.explanations) for r in some) for some in (records, cleaned)]
    return cleaned, Report((len(records), len(cleaned)), (counts[0], counts[1]), tuple(effects.values()))


def _clean(said: Explanation, rules: Rules, held_out: HeldOut | None, effects: dict[str, Effect]) -> Explanation | None:
    text, changed = rules.replace(said.text)
    for name in changed:
        effects[name].types[said.type] += 1
    explanation = replace(said, text=text)
    dropped = rules.find_drop(text)
    if dropped is None and held_out is not None:
        dropped, _ = held_out.why_not(explanation) or (None, "")
    if dropped is not None:
        effects[dropped].types[said.type] += 1
        return None
    return explanation


def clean_file(
    path: Path, out: Path, rules: Rules, corpus: Corpus | None = None, report_to: Path | None = None
) -> Report:
    """Clean one GTOK file into another (or itself), with the `corpus` it is about also of what leaks.

    The report is also written, as JSON with the SHA-256 of input, rules and output, if a place for it is named.
    Raises `DataError` if nothing is left; then nothing is written.
    """
    source = sha256(path) if path.is_file() else None
    records, report = clean(gtok.records(path), rules, HeldOut(corpus) if corpus is not None else None)
    if not records:
        raise DataError(
            f"{path}: the rules leave none of its {report.explanations[0]} explanations",
            hint=f"what took them: {', '.join(_list_drops(report)) or 'nothing, the file has none'}",
        )
    gtok.write(out, records)
    if report_to is not None:
        hashes = {"input_sha256": source, "rules_sha256": sha256(rules.path), "output_sha256": sha256(out)}
        write_atomic(report_to, json.dumps({**hashes, **report.to_json()}, indent=2) + "\n")
    return report


def _list_drops(report: Report) -> list[str]:
    drops = [e for e in report.effects if e.action == "dropped" and e.types]
    return [f"{e.name} ({e.types.total()})" for e in sorted(drops, key=lambda e: -e.types.total())]


# --- reading the TOML file -------------------------------------------------------------------------------------------


def find_shipped() -> Path:
    """The rules that come with the package."""
    return find_benchmarks_dir() / "reference" / "gtok-rules.toml"


def read_rules(path: Path | None = None) -> Rules:
    """The rules of a file, by default the shipped ones. Raises `DataError` that names the rule that is wrong."""
    path = path or find_shipped()
    table = TomlTable.read(path)
    replacements = [_read_rule(sub, n) for n, sub in enumerate(table.take_tables("replace"), start=1)]
    drops = [_read_rule(sub, n) for n, sub in enumerate(table.take_tables("drop"), start=1)]
    table.finish()
    names = Counter([*leaks.REASONS, *(rule.name for rule in (*replacements, *drops))])
    for name, count in names.items():
        if count > 1:
            raise DataError(f"{path}: rule {name!r} is there already", hint="give each rule its own name")
    if not replacements and not drops:
        raise DataError(f"{path} has no rules", hint="write [[replace]] or [[drop]]")
    return Rules(path, tuple(replacements), tuple(drops))


def _read_rule(table: TomlTable, number: int) -> Rule:
    kind = table.prefix.rstrip(".")
    named = table.values.get("name")
    table.prefix = f"rule {named!r}: " if isinstance(named, str) else f"{kind} rule {number}: "
    name = table.take("name", str)
    text = table.take("with", str) if kind == "replace" else None
    reason, pattern = table.take("reason", str), table.take("pattern", str)
    table.finish()
    try:
        return Rule(name, re.compile(pattern), reason, text)
    except (re.error, OverflowError, RecursionError) as error:
        raise DataError(
            f"{table.path}: {table.prefix}pattern {pattern!r} is no regular expression: {error}",
            hint="write patterns in 'single quotes', where a backslash is a backslash",
        ) from None
