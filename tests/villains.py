"""Methods that harm what is not theirs, each by the misdeed that its option names. `--plugin tests/villains.py`."""

from __future__ import annotations

import builtins
import ctypes
import gc
import json
import locale
import logging
import os
import random
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cdner_bench import Corpus, Entity, Method, Prediction, RunContext, Sentence, Spec, hookimpl


class Hostile(BaseException):
    """Says nothing when it is asked, and is no `Exception`."""

    def __str__(self) -> str:
        raise SystemExit(7)


def _raise(error: BaseException) -> None:
    raise error


def _mutate(sentences: Sequence[Sentence]) -> None:
    for sentence in sentences:
        for entity in sentence.entities:
            object.__setattr__(entity, "type", "stolen")
        object.__setattr__(sentence, "entities", ())
        object.__setattr__(sentence, "tokens", ("stolen",))


def _rob(corpus: Corpus, run: RunContext) -> None:
    _mutate([*corpus.train, *corpus.dev])
    object.__setattr__(corpus, "types", ("stolen",))


def _fork(corpus: Corpus, run: RunContext, *, away: bool = False) -> None:
    """The copy says its id in the file `left`."""
    if os.fork() == 0:
        if away:
            os.setsid()
        (run.workdir.parent.parent / "left").write_text(str(os.getpid()))
        time.sleep(600)
    while not (run.workdir.parent.parent / "left").exists():
        time.sleep(0.01)


def _return_twice(corpus: Corpus, run: RunContext) -> None:
    os.fork()


def _chatter(corpus: Corpus, run: RunContext) -> None:
    def talk() -> None:
        while True:
            print("the villain talks", flush=True)
            time.sleep(0.01)

    threading.Thread(target=talk, daemon=True).start()


def _linger(corpus: Corpus, run: RunContext) -> None:
    threading.Thread(target=time.sleep, args=(600,)).start()


def _recurse(corpus: Corpus, run: RunContext) -> None:
    _recurse(corpus, run)


def _overflow(corpus: Corpus, run: RunContext) -> None:
    ctypes.string_at(0)


def _write_elsewhere(corpus: Corpus, run: RunContext) -> None:
    """As if it knew the id of the run to come: the file `next` has it."""
    folder = run.workdir.parent / (run.workdir.parent.parent / "next").read_text()
    folder.mkdir()
    for name in ("predictions.jsonl", "run.json"):
        (folder / name).write_text("{}")


def _lose_folder(corpus: Corpus, run: RunContext) -> None:
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")


def _change_environment(corpus: Corpus, run: RunContext) -> None:
    os.environ.clear()
    os.environ.update(LANG="xx", TZ="Nowhere/0")


def _forbid_warnings(corpus: Corpus, run: RunContext) -> None:
    warnings.simplefilter("error")
    warnings.simplefilter("error", UnicodeWarning)


def _forget(corpus: Corpus, run: RunContext) -> None:
    shutil.rmtree(run.workdir)


def _unlog(corpus: Corpus, run: RunContext) -> None:
    logging.disable(logging.CRITICAL)
    logging.root.setLevel(logging.CRITICAL)
    logging.root.addHandler(logging.StreamHandler(sys.stdout))


MISDEEDS: dict[str, Callable[[Corpus, RunContext], object]] = {
    "none": lambda corpus, run: None,
    # what the process is left with
    "working folder": lambda corpus, run: os.chdir("/"),
    "working folder gone": _lose_folder,
    "environment": _change_environment,
    "locale": lambda corpus, run: locale.setlocale(locale.LC_ALL, "C"),
    "warnings": _forbid_warnings,
    "random state": lambda corpus, run: random.seed(1),
    "handlers of signals": lambda corpus, run: [
        signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    ],
    "a timer": lambda corpus, run: signal.setitimer(signal.ITIMER_REAL, 2),
    "logging": _unlog,
    "sys.path": lambda corpus, run: vars(sys)["path"].clear(),
    "sys.modules": lambda corpus, run: sys.modules.update({"json": builtins, "shutil": builtins}),
    "streams": lambda corpus, run: setattr(sys, "stdout", None),
    "streams closed": lambda corpus, run: (sys.stdout.close(), sys.stderr.close()),
    "descriptor closed": lambda corpus, run: os.close(1),
    "umask": lambda corpus, run: os.umask(0o777),
    "recursion limit": lambda corpus, run: sys.setrecursionlimit(150),
    "gc": lambda corpus, run: gc.disable(),
    "json": lambda corpus, run: setattr(json, "dumps", lambda *_, **__: "stolen"),
    "renamed": lambda corpus, run: vars(json).update(stolen=vars(json).popitem()[1]),
    "builtins": lambda corpus, run: setattr(builtins, "sorted", lambda *_, **__: []),
    "sentences": _rob,
    "predictions": lambda corpus, run: None,
    # how it ends
    "base exception": lambda corpus, run: _raise(BaseException("I am no exception")),
    "generator exit": lambda corpus, run: _raise(GeneratorExit()),
    "interrupt": lambda corpus, run: _raise(KeyboardInterrupt()),
    "hostile": lambda corpus, run: _raise(Hostile()),
    "surrogate": lambda corpus, run: _raise(ValueError("a lone \ud800")),
    "sys.exit": lambda corpus, run: sys.exit(0),
    "os._exit": lambda corpus, run: vars(os)["_exit"](3),
    "recursion": _recurse,
    "endless": lambda corpus, run: None,
    "own folder": _forget,
    "other folder": _write_elsewhere,
    # what only a process of its own withstands
    "abort": lambda corpus, run: os.abort(),
    "kill": lambda corpus, run: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": _overflow,
    "exit of C": lambda corpus, run: ctypes.CDLL(None)["_exit"](3),
    "all descriptors": lambda corpus, run: os.closerange(0, 256),
    "fork": _fork,
    "fork away": lambda corpus, run: _fork(corpus, run, away=True),
    "fork returns": _return_twice,
    "chatter": _chatter,
    "thread": _linger,
    "classes": lambda corpus, run: setattr(Path, "write_text", None),
    "kill group": lambda corpus, run: os.killpg(0, signal.SIGTERM),
}


@hookimpl
def register_methods() -> list[Spec]:
    return [
        Spec("villain", f"{__name__}:Villain", "harms others: \ud800"),
        Spec("victim", f"{__name__}:Victim", "is what it is"),
    ]


@dataclass(frozen=True)
class VillainOptions:
    misdeed: Literal[tuple(MISDEEDS)] = "none"  # type: ignore[valid-type]


class Victim(Method):
    """Marks the words that are entities of the train split; whatever the process has become shows in the outcome."""

    Options = VillainOptions
    options: VillainOptions

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        with run.phase("fit") as phase:
            phase.sentences = len(target.train)
            self.known = {s.tokens[e.start]: e.type for s in target.train for e in s.entities}
            run.describe(backbone="none", trained=len(self.known), total=sum(len(s.entities) for s in target.train))
            run.note(json.dumps(sorted(self.known)[:1]))

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for sentence in sentences:
            found = [Entity(n, n + 1, self.known[t]) for n, t in enumerate(sentence.tokens) if t in self.known]
            yield Prediction(sentence.id, tuple(found))


class Villain(Victim):
    """The same, and a misdeed in the middle of it."""

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        super().fit(sources, target, run)
        run.note("a lone \ud800")
        act: Any = MISDEEDS[self.options.misdeed]
        act(target, run)

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        for prediction in super().predict(sentences, run):
            yield prediction
            if self.options.misdeed == "predictions":
                object.__setattr__(prediction, "entities", ())
        if self.options.misdeed == "sentences":
            _mutate(sentences)
        while self.options.misdeed == "endless":
            yield Prediction(sentences[-1].id)
