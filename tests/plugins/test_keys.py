"""No stage is taken over by a run with other options that the stage reads: every option is changed in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("gliner2")

from cdner_bench import Corpus, Method, plugins
from cdner_bench.data import Benchmark
from cdner_bench.plugins.options import list_options, operational, read_option
from support import change, context


class ReachedError(Exception):
    """The keys of all stages that are shared have been seen."""


def keys(method: Method, sources: list[Corpus], target: Corpus, folder: Path) -> dict[str, str]:
    """What identifies each stage that is shared, by the stage's name; none is built."""
    run, seen = context(folder), dict[str, str]()
    real = run.stage

    def stage(name: str, build: object, key: Mapping[str, object] | None = None, *, seeded: bool = True) -> Path:
        if key is None:
            raise ReachedError
        place = real(name, lambda _: None, key, seeded=seeded)
        seen[name] = place.name
        if name == "source":
            raise ReachedError
        return place

    run.stage = stage  # type: ignore[method-assign]
    with pytest.raises(ReachedError):
        method.fit(sources, target, run)
    return seen


def another(hint: Any, value: Any, folder: Path) -> Any:
    """A value of the declared type that is not the option's."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if get_origin(hint) is not Literal else []
    if NoneType in get_args(hint):
        return another(kinds[0], value, folder)
    if get_origin(hint) is Literal:
        return next(choice for choice in reversed(get_args(hint)) if choice != value)
    if hint is bool:
        return not value
    if hint is int:
        return (value or 0) + 1
    if hint is float:
        return (value or 0.5) / 2
    assert issubclass(hint, Path), hint
    return folder / "ai.json" if value is None else value.parent


def changes(options: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    """Options with one of them changed, by its name."""
    for name, hint in list_options(type(options)).items():
        if name == "backbone" or operational in get_args(hint):
            continue  # the harness puts its content into the identity
        value = read_option(options, name)
        other = folder.parent if name == "mslm.gtok_folder" else another(hint, value, folder)
        group, dot, inner = name.partition(".")
        yield name, change(options, **{group: {inner: other} if dot else other})


@dataclass(frozen=True)
class Case:
    """A method and its shared stages. `also` are groups that the last of them reads though they come after its own."""

    name: str
    backbone: str
    stages: tuple[str, ...]
    chosen: Mapping[str, object] = field(default_factory=dict)
    also: tuple[str, ...] = ()


CASES = [
    Case("bert-tagger", "tiny_bert", ("source",)),
    Case("bert-gtok", "tiny_bert", ("mlm", "source")),
    Case("lst-ner", "tiny_bert", ("source",)),
    Case("daptn", "tiny_bert", ("mlm", "source"), {"mlm.dapt_tokens": 400}),
    Case("laner", "tiny_bert", ("mlm", "source"), {"pretraining": "dapt", "mlm.dapt_tokens": 400}),
    Case("topt", "tiny_t5", ("mslm", "source")),
    Case("topt", "tiny_t5", ("mslm", "source"), {"source.select": "dev"}, ("dev", "decoding")),
    Case("topt-no-gtok", "tiny_t5", ("source",)),
    Case("gliner2", "tiny_gliner2", ("source",), {"finetuning.transfer": "pretrain-finetune"}),
    Case("qlora-llama2", "tiny_llama", ("source",)),
    Case("cp-ner", "tiny_t5", ("source",)),
    Case("cp-ner", "tiny_t5", ("source",), {"source.select": "dev"}, ("dev", "decoding")),
    Case("lightner", "tiny_bart", ("source",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join((case.name, *case.also)))
def test_a_stage_s_key_holds_every_option_that_it_reads(
    case: Case, request: pytest.FixtureRequest, mini: Benchmark, tmp_path: Path
) -> None:
    """An option is of the stages whose group it is in or comes before."""
    explanations = tmp_path / "gtok"
    explanations.mkdir()
    for domain in ("ai", "music"):
        text = mini.corpus(domain).resources["gtok"].read_text(encoding="utf-8")
        (explanations / f"{domain}.json").write_text(text, encoding="utf-8")
    spec, chosen = plugins.discover().get(case.name).spec, dict(case.chosen)
    kind = spec.load(Method)
    if "mslm" in (part.name for part in fields(kind.Options)):
        chosen["mslm.gtok_folder"] = explanations
    base = spec.resolve("quick", {"backbone": request.getfixturevalue(case.backbone), **chosen})
    sources = [replace(mini.corpus("news").without_test(), train=mini.corpus("news").train[:4])]
    target = mini.corpus("ai").without_test()
    unchanged = keys(kind(base), sources, target, tmp_path)
    assert tuple(unchanged) == case.stages
    order = [part.name for part in fields(base)]
    for option, options in changes(base, explanations):
        group = option.partition(".")[0]
        made = keys(kind(options), sources, target, tmp_path)
        for stage in made.keys() & unchanged.keys():
            if order.index(group) <= order.index(stage) or (stage == case.stages[-1] and group in case.also):
                assert made[stage] != unchanged[stage], f"the key of stage {stage} forgets {option}"
