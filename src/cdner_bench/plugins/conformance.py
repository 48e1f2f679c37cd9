"""Does a method keep the contract? Run on a few sentences of the shipped sample, with what plugins get wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..data import benchmark
from ..errors import PluginError, in_words
from ..io import Surroundings, contained, list_children, stir
from ..types import Corpus, Prediction, Scenario, Sentence
from .context import RunContext
from .contract import held_to_contract, lend
from .method import Method
from .options import as_dict
from .registry import Registered

HEAVY = ("torch", "transformers", "datasets", "tensorflow", "jax", "sklearn", "pandas", "scipy", "spacy")

PATIENCE = 1.0
"""Seconds within which threads and processes of a run that has ended should have ended too."""


@dataclass(frozen=True)
class Promise:
    """One promise, and what went wrong with it (empty if nothing did)."""

    promise: str
    problem: str


def check(entry: Registered, options: Mapping[str, object], plugin_files: Sequence[Path] = ()) -> Iterator[Promise]:
    """Try a method on a cut of `mini`, under its `quick` preset if it has one."""
    trial = _Trial(entry, options)
    steps: list[tuple[str, Callable[[], str]]] = [
        ("registering imports nothing heavy", lambda: _imports(plugin_files)),
        ("options are a frozen dataclass with defaults", trial.options),
        ("one prediction per sentence, in order, spans inside, types known", trial.answers),
        (
            "the same seed gives the same predictions, in whatever state others left the random generators",
            trial.repeats,
        ),
        (
            "the process is left as it was: folder, environment, locale, warnings, random state, …",
            trial.changes_nothing,
        ),
        ("no thread and no process is left behind", trial.leaves_nothing),
        ("the sentences that it is lent are not changed", trial.keeps_sentences),
        ("predictions do not depend on sentence ids (no gold is looked up)", trial.ignores_ids),
        ("odd sentences are answered: one token, 600 tokens, other scripts", trial.odd_sentences),
        ("a target without sources can be learned", trial.no_sources),
        ("a model, if it can be kept, says elsewhere what it said; no file of it is a pickle", trial.keeps_models),
    ]
    for promise, step in steps:
        try:
            problem = step()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            problem = in_words(error)
        yield Promise(promise, problem)


class _Trial:
    def __init__(self, entry: Registered, options: Mapping[str, object]) -> None:
        self.entry = entry
        self.chosen = options
        mini = benchmark.load("mini")
        scenario: Scenario = mini.list_scenarios("multi", ["ai"])[0]
        self.sources = [_cut(mini.corpus(name)).without_test() for name in scenario.sources]
        self.target = _cut(mini.corpus(scenario.target))
        self.first: list[Prediction] = []
        self.runs = 0
        self.changed: list[str] = []  # by the newest run: the first also imports what it needs, which may change much
        self.left: list[str] = []
        self.robbed: list[str] = []

    def options(self) -> str:
        preset = "quick" if "quick" in self.entry.spec.presets else None
        values = self.entry.spec.resolve(preset, self.chosen)
        try:
            hash(values)
        except TypeError:
            return "make it @dataclass(frozen=True), of hashable values"
        for read in (self.entry.spec.list_given, self.entry.spec.list_resources):
            read(as_dict(values))  # raises for a word or an option that is none
        return ""

    def answers(self) -> str:
        self.first = self._run(self.target.test)
        return ""

    def repeats(self) -> str:
        return _difference(self.first, self._run(self.target.test))

    def changes_nothing(self) -> str:
        return f"it changes {', '.join(self.changed)}" if self.changed else ""

    def leaves_nothing(self) -> str:
        return f"it leaves {', '.join(self.left)}" if self.left else ""

    def keeps_sentences(self) -> str:
        return f"it changes {', '.join(self.robbed)}" if self.robbed else ""

    def ignores_ids(self) -> str:
        renamed = [replace(s, id=f"elsewhere/{n}") for n, s in enumerate(self.target.test)]
        return _difference(self.first, self._run(renamed))

    def odd_sentences(self) -> str:
        long = tuple(token for s in self.target.train for token in s.tokens)
        odd = [
            ("Word2vec",),
            (long * 3)[:600],
            ("機械学習", "и", "mašinsko", "učenje", "."),
            ("…", "\u200b", "\U0001f916"),
        ]
        self._run([Sentence(f"odd/{n}", tokens) for n, tokens in enumerate(odd)])
        return ""

    def no_sources(self) -> str:
        self._run(self.target.test[:2], sources=())
        return ""

    def keeps_models(self) -> str:
        missing = self.entry.spec.load(Method).find_missing()
        if len(missing) == 1:
            return f"it has no {missing[0]}: write both of save and load, or neither"
        return "" if missing else _difference(self.first, self._run(self.target.test, kept=True))

    def _run(
        self, sentences: Sequence[Sentence], sources: Sequence[Corpus] | None = None, *, kept: bool = False
    ) -> list[Prediction]:
        """What a method says of sentences; if it is `kept`, what its model says in the hands of another instance, when
        everything else that it left is gone.
        """
        preset = "quick" if "quick" in self.entry.spec.presets else None
        method = self.entry.spec.load(Method)(self.entry.spec.resolve(preset, self.chosen))
        given = [*(self.sources if sources is None else sources), self.target.without_test()]
        lent = [lend(corpus) for corpus in given]
        asked = [s.unlabeled() for s in sentences]
        self.runs += 7919
        stir(self.runs)
        with tempfile.TemporaryDirectory() as folder, contained() as end_copies, self._watch():
            place = Path(folder)
            run = RunContext.create(1, place, place / "shared")
            method.fit(lent[:-1], lent[-1], run)
            end_copies()
            if kept:
                method, run = self._move(method, place)
                end_copies()
            answers = held_to_contract(method.predict(asked, run), sentences, self.target.types, self.entry)
            found = [replace(prediction) for prediction in answers]
        self.robbed = [f"the corpus {was.name}" for was, now in zip(given, lent, strict=True) if was != now]
        self.robbed += ["what it is to answer"] * (asked != [s.unlabeled() for s in sentences])
        return found

    def _move(self, method: Method, place: Path) -> tuple[Method, RunContext]:
        """Another instance that has loaded the model of one, in another folder, and the run that it is lent."""
        draft, folder = place / "model", place / "elsewhere" / "model"
        draft.mkdir(parents=True)
        method.save(draft)
        folder.parent.mkdir()
        draft.rename(folder)
        for other in place.iterdir():
            if other.name != folder.parent.name:
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        if pickled := [path.name for path in folder.rglob("*") if path.is_file() and _is_pickle(path)]:
            raise PluginError(f"{pickled[0]} is a pickle: write safetensors, JSON or text")
        other_method = type(method)(method.options)
        run = RunContext.create(1, place / "run", place / "shared")
        other_method.load(folder, self.target.types, run)
        return other_method, run

    @contextmanager
    def _watch(self) -> Iterator[None]:
        """Note what a run changes of the process, and what goes on after it, which is ended if it can be."""
        threads, children, was = set(threading.enumerate()), list_children(), Surroundings()
        try:
            yield
        finally:
            give_up = time.monotonic() + PATIENCE
            while (set(threading.enumerate()) - threads or list_children() - children) and time.monotonic() < give_up:
                time.sleep(0.05)
            self.changed = was.list_changes()
            self.left = [f"the thread {thread.name}" for thread in threading.enumerate() if thread not in threads]
            for child in list_children() - children:
                self.left.append("a process")
                with suppress(OSError):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
            was.restore()


def _is_pickle(path: Path) -> bool:
    """Whether a file is a pickle, or an archive as torch writes with pickles in it."""
    with path.open("rb") as stream:
        return re.match(rb"\x80[\x02-\x05]|PK\x03\x04", stream.read(4)) is not None


def _cut(corpus: Corpus) -> Corpus:
    return replace(corpus, train=corpus.train[:12], dev=corpus.dev[:6], test=corpus.test[:8])


def _difference(one: Sequence[Prediction], other: Sequence[Prediction]) -> str:
    if not one:
        return "there are no predictions to compare with"
    for a, b in zip(one, other, strict=True):
        if (a.entities, a.rejected) != (b.entities, b.rejected):
            return f"{a.sentence_id}: {a.entities} and then {b.entities}"
    return ""


def _imports(plugin_files: Sequence[Path]) -> str:
    code = (
        "import sys; from pathlib import Path; from cdner_bench.plugins import discover; "
        "discover(map(Path, sys.argv[1:])); print(*sys.modules)"
    )
    command = [sys.executable, "-c", code, *map(str, plugin_files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy = [name for name in HEAVY if name in done.stdout.split()]
    return f"it imports {', '.join(heavy)}: import them in the module of the method" if heavy else ""
