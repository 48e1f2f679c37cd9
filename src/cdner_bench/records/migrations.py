"""Result files of older schemas, lifted to today's. What is said here of names and options is history, and stays.

Schema 1 had no `usage`. Schema 2 had the plugin's release and code in the identity of a run: it knew neither revisions,
nor what makes results comparable, nor what a run learnt from. Schema 3 counted no odd answers, and its phases did not
say how busy the machine was. Schema 4 had no doubts: those that follow from counts are found here.
Schema 5 did not say which options are not the preset's: `cdner-bench rescore` finds that. Schema 6 said neither what
the method was given, nor which test sentences it could know, nor how it does on entities that train has:
`cdner-bench rescore` finds that too, where the data and the predictions are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations
from typing import Any

from ..data import Benchmark, benchmark
from ..hashing import digest
from ..scoring import HEADLINE, Counts, doubt_counts, total
from ..types import Scenario

SCHEMA = 7
_FIRST_REVISION = ("tagger", "topt", "prompting", "qlora", "density")
"""Plugins of the project: what they made before revisions were declared is revision 1 of their methods."""

_KNOWLEDGE = ("pretraining", "gtok", "gtok_folder", "gtok_mix", "gtok_mix_unit", "cumulative_gtok")
"""Options of `topt` and `bert-gtok` that chose the corpus of explanations."""


def migrate_method(facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name, revision, preset, options and backbone of a method or an analysis; and its plugin, as provenance."""
    release, _, code = facts["version"].partition("+")
    options = facts["options"]
    method = {
        "name": facts["name"],
        "revision": "1" if facts["plugin"] in _FIRST_REVISION else f"code {code}",
        "preset": facts["preset"],
        "options": options,
        "backbone": options.get("backbone") or options.get("model"),
        "knowledge_options": [name for name in _KNOWLEDGE if name in options],
    }
    return method, {"name": facts["plugin"], "release": release, "origin": "unknown", "code": code}


def _add_usage(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "usage": None}


def _take_plugin_out_of_identity(record: dict[str, Any]) -> dict[str, Any]:
    method, plugin = migrate_method(record["method"])
    scores = {
        protocol: {kind: "/".join(map(str, counts)) for kind, counts in per_type.items()}
        for protocol, per_type in record["scores"].items()
    }
    return {
        **record,
        "method": method,
        "scores": scores,
        "comparable": _describe_comparable(record),
        "learnt_from": _name_knowledge(record["benchmark"]["name"], method["options"]),
        "provenance": {**record["provenance"], "plugin": plugin},
    }


def _add_answers(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "answers": {}}


def _add_doubts(record: dict[str, Any]) -> dict[str, Any]:
    counts = total(Counts(*map(int, text.split("/"))) for text in record["scores"].get(HEADLINE, {}).values())
    return {**record, "doubts": doubt_counts(counts)}


def _add_departures(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "departures": []}


def _add_fairness(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "given": None, "repeated": None, "by_train": {}}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _add_usage,
    2: _take_plugin_out_of_identity,
    3: _add_answers,
    4: _add_doubts,
    5: _add_departures,
    6: _add_fairness,
}
"""From a schema number to a function that lifts a record to the next one."""


def _describe_comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the run shares with others: told from the hashes that a shipped benchmark pins, where the record's hash over
    its data is that of these files; else nothing is known but the record's own hash, which no other data have.
    """
    facts, place = record["benchmark"], record["scenario"]
    scenario = Scenario(place["setting"], tuple(place["sources"]), place["target"])
    known = {"benchmark": facts["name"], "version": facts["version"]}
    data = _load_shipped(facts["name"], facts["version"])
    if data is not None and facts["data"] in _list_pinned(data, scenario):
        splits = data.domain(scenario.target).splits
        sizes = [splits[name].sentences or 0 for name in ("train", "dev", "test")]
        types = data.domain(scenario.target).types or ()
        return {**known, "data": data.pinned_fingerprint(scenario), "types": types, "sentences": tuple(sizes)}
    return {**known, "data": facts["data"], "types": (), "sentences": (0, 0, len(record["sentences"].split()))}


@cache
def _load_shipped(name: str, version: str) -> Benchmark | None:
    if name not in benchmark.list_shipped():
        return None
    data = benchmark.load(name)
    return data if data.version == version else None


def _list_pinned(data: Benchmark, scenario: Scenario) -> list[str]:
    """The hash over the pinned files of a scenario, with each choice of the other files that a method may have seen."""
    names = sorted({resource for domain in data.domains.values() for resource in domain.resources})
    choices = [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]
    only_files = [digest(data.pinned_hashes(scenario, chosen)) for chosen in choices]  # until types were hashed too
    return [*only_files, *(data.pinned_fingerprint(scenario, chosen) for chosen in choices)]


def _name_knowledge(benchmark_name: str, options: Mapping[str, Any]) -> str | None:
    if options.get("pretraining") != "gtok" or options.get("gtok") or options.get("cumulative_gtok"):
        return None
    if not options.get("gtok_mix"):
        return "gtok"
    if not _is_own_folder(benchmark_name, str(options.get("gtok_folder"))):
        return None
    return f"gtok+{options['gtok_mix']}{'-sentences' if options.get('gtok_mix_unit') == 'sentences' else ''}"


def _is_own_folder(name: str, folder: str) -> bool:
    """Whether a folder, as a record has it ("name (content)"), holds the explanations of a shipped benchmark."""
    if name not in benchmark.list_shipped():
        return False
    resources = {d: domain.resources.get("gtok") for d, domain in benchmark.load(name).domains.items()}
    pinned = {f"{d}.json": file.sha256 for d, file in resources.items() if file is not None}
    return folder.endswith(f"({digest(pinned)[:12]})")
