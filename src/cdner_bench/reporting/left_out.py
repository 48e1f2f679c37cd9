"""Why a board leaves results out, and what shows them: for the terminal, where a page would not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..data import Benchmark
from ..errors import count
from ..records import Result
from .leaderboard import Board, find_newest_each


def tell_left_out(board: Board) -> Iterator[str]:
    """Two lines for each method and reason: what a board leaves out and why, and what to type to see it there."""
    told: dict[tuple[str, str, str], list[Result]] = {}
    every = [*board.left_out, *(result for row in board.every_row for result in row.results)] if board.left_out else []
    of_target = find_newest_each(every, lambda result: result.scenario.target)
    of_row = find_newest_each(every, _name_row)
    for result in board.left_out:
        why = _explain(result, of_target[result.scenario.target], of_row[_name_row(result)])
        told.setdefault((result.method.name, result.method.preset or "", why), []).append(result)
    name = board.benchmark.name
    for (method, preset, why), results in told.items():
        targets = ",".join(dict.fromkeys(result.scenario.target for result in results))
        yield f"left out of {name}/{board.setting}: {count(len(results), 'result')} of {method} ({targets}): {why}"
        if results[0].predictions_only:
            yield f"  → to show it, bring it again: cdner-bench score FILE --as {method} --setting {board.setting}"
            continue
        command = f"cdner-bench run --benchmark {board.benchmark.given} --method {method}"
        command += f" --setting {board.setting} --target {targets}" + (f" --preset {preset}" if preset else "")
        yield f"  → to show it, make it again as it is today: {command}"


def tell_strangers(results: Sequence[Result], benchmark: Benchmark) -> Iterator[str]:
    """Two lines for each reason why results are on no board of a benchmark: another version of it, a setting or a
    target that it does not have.
    """
    told: dict[str, list[Result]] = {}
    for result in results:
        setting = benchmark.find_setting(result.scenario.setting)
        if result.benchmark.version != benchmark.version:
            told.setdefault(f"they are of version {result.benchmark.version}, this is {benchmark.version}", []).append(
                result
            )
        elif setting is None or result.scenario.target not in setting.targets:
            told.setdefault(f"it has no {result.scenario}", []).append(result)
    for why, strangers in told.items():
        methods = ", ".join(dict.fromkeys(result.method.name for result in strangers))
        yield f"left out of {benchmark.name}: {count(len(strangers), 'result')} of {methods}: {why}"
        yield "  → to show them, make them again, or name the file of their benchmark: --benchmark FILE.toml"


def _name_row(result: Result) -> tuple[str, str]:
    return result.method.name, result.method.row


def _explain(result: Result, of_target: Result, of_row: Result) -> str:
    """Why a result does not stand with the newest of its target, or of its row."""
    who = f"{of_target.method.name}'s, the newest here"
    mine, other = result.comparable, of_target.comparable
    if mine != other:
        if mine is None or other is None:
            return f"it does not say on which data, or {who}, does not"
        if mine.types != other.types:
            return f"its entity types are not {who}"
        if mine.sentences != other.sentences:
            return f"its splits have other sizes than {who}"
        return f"its data are not {who}"
    if of_row.method.revision != result.method.revision:
        return f"it is of revision {result.method.revision}, the newest of revision {of_row.method.revision}"
    return "other files that the method reads have changed since"
