"""The contract between the harness and what a plugin brings: a method, or an analysis of corpora."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..errors import OptionError, PluginError, did_you_mean
from ..types import Corpus, Given, Prediction, Sentence
from . import options
from .context import RunContext
from .measurement import Measurement

if TYPE_CHECKING:
    from ..knowledge import Text


@dataclass(frozen=True)
class NoOptions:
    """The options of what has none."""


class Plugged(ABC):  # noqa: B024 -- its subclasses have abstract methods
    """What a method and an analysis have in common.

    `Options` is a frozen dataclass of typed settings with defaults; everything that changes the outcome belongs
    there or in the seed, because a run is identified by them. What has no settings leaves it out.
    """

    Options: ClassVar[type] = NoOptions

    def __init__(self, options: Any) -> None:
        self.options = options


class Method(Plugged):
    """A way of recognising entities in a new domain. One instance serves one run: fit once, then predict."""

    @abstractmethod
    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None:
        """Learn from the train and dev splits of `sources` and `target` (their test splits are empty)."""

    @abstractmethod
    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        """One `Prediction` per sentence, in order, as they come. Entities are of the target's types;
        whatever else the method says goes into `Prediction.rejected`.
        """

    def save(self, folder: Path) -> None:
        """Write what `predict` needs into an empty folder: safetensors, JSON, text; never a pickle. With `load` it is
        what makes a model of this method one that can be kept; both may be left out.
        """
        raise NotImplementedError

    def load(self, folder: Path, types: Sequence[str], run: RunContext) -> None:
        """Take over what `save` has written, in place of `fit`. `types` are the target's, `run` is of the same seed.
        The folder may have come to another machine.
        """
        raise NotImplementedError

    @classmethod
    def find_missing(cls) -> list[str]:
        """Which of the functions it lacks that a model needs to be kept and used."""
        return [name for name in ("save", "load") if getattr(cls, name) is getattr(Method, name)]


class Analysis(Plugged):
    """A way of judging a corpus without training on it."""

    @abstractmethod
    def measure(self, corpus: Text, run: RunContext) -> Measurement:
        """Read `corpus` once, and say in numbers what it is like.

        Raises `DataError` for a corpus of which the numbers cannot be had; never returns a NaN.
        """


P = TypeVar("P", bound=Plugged)
Conditional = tuple[str, str, Collection[object]]
"""A word that holds with some values of an option: the word, the option, the values."""


def name_entry(entry: str | Conditional) -> str:
    """The word of an entry that may hold with some options only."""
    return entry if isinstance(entry, str) else entry[0]


@dataclass(frozen=True)
class Spec:
    """A named method or analysis, loaded when it runs. An ablation is one more `Spec` with other `options`.

    `factory` is "module:Class". `options` override the class's defaults; a preset overrides both.
    `given` is what it may learn from, in the words of `Given`; what it is given only with some values of an option is
    (word, option, values). Boards show it; None: it does not say.
    `resources` are the files about the target it cannot do without (`gtok`, `dapt`), written in the same way. It sees
    no others.
    `revision` is raised when a run would come out otherwise than before (docs/add-a-method.md); it is part of a run's
    identity, the code is not. Without a revision, every edit of the code makes another method.
    `extra` is what to put in `pip install 'cdner-bench[extra]'` if its libraries are missing.
    `environment` names a lock `NAME.lock` beside the plugin's module, for a method whose libraries conflict with those
    of others: its runs are made by an interpreter of its own, and the lock's hash is part of their identity. Its class
    is imported here, too, for its options, so that those libraries are imported where they are used.
    """

    name: str
    factory: str
    summary: str
    options: Mapping[str, object] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    given: Sequence[str | Conditional] | None = None
    resources: Sequence[str | Conditional] = ()
    extra: str | None = None
    revision: int | None = None
    environment: str | None = None

    def list_given(self, values: Mapping[str, object]) -> tuple[Given, ...] | None:
        """What it may learn from with these values of its options; None if it does not say.

        Raises `PluginError` for a word that is none, and for an option that it does not have.
        """
        if self.given is None:
            return None
        for word in map(name_entry, self.given):
            if word not in {*Given}:
                raise PluginError(
                    f"method {self.name}: given: {word!r} is none of its words", hint=did_you_mean(word, Given)
                )
        found = set(self._choose("given", self.given, values))
        return tuple(word for word in Given if word in found)

    def list_resources(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """The files about the target that it needs with these values of its options. Raises `PluginError` for an option
        that it does not have.
        """
        return tuple(dict.fromkeys(self._choose("resources", self.resources, values)))

    def _choose(self, field: str, entries: Sequence[str | Conditional], values: Mapping[str, object]) -> Iterator[str]:
        for entry in entries:
            word, option, only = (entry, None, ()) if isinstance(entry, str) else entry
            if option is not None and option not in values:
                raise PluginError(
                    f"method {self.name}: {field}: there is no option {option!r}", hint=did_you_mean(option, values)
                )
            if option is None or values[option] in only:
                yield word

    def load(self, base: type[P]) -> type[P]:
        """Import the class, a subclass of `base`.

        Raises `PluginError` if that fails, with the package to install if that is why.
        """
        kind = base.__name__.lower()
        module, _, attribute = self.factory.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except ImportError as error:
            hint = f"pip install 'cdner-bench[{self.extra}]'" if self.extra else None
            raise PluginError(f"{kind} {self.name} cannot be loaded: {error}", hint=hint) from error
        except AttributeError:
            raise PluginError(f"{kind} {self.name}: there is no {attribute!r} in {module}") from None
        if not (isinstance(found, type) and issubclass(found, base)):
            raise PluginError(f"{kind} {self.name}: {self.factory} is not a subclass of cdner_bench.{base.__name__}")
        if not (isinstance(found.Options, type) and is_dataclass(found.Options)):
            raise PluginError(
                f"{kind} {self.name}: Options of {self.factory} is no dataclass",
                hint="write @dataclass(frozen=True) above class Options, or leave it out",
            )
        return found

    def resolve(self, preset: str | None, chosen: Mapping[str, object], base: type[Plugged] = Method) -> Any:
        """The options of a run: the class's defaults, then this spec's, the preset's, the user's.

        Raises `OptionError` for an unknown preset, option or value. A spec without presets takes any.
        """
        owner = f"{base.__name__.lower()} {self.name}"
        if preset is not None and self.presets and preset not in self.presets:
            raise OptionError(f"{owner} has no preset {preset!r}", hint=did_you_mean(preset, self.presets))
        layers = (self.options, self.presets.get(preset or "", {}), chosen)
        return options.resolve(self.load(base).Options, layers, owner)
