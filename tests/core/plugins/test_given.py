"""What methods say that they may learn from."""

from __future__ import annotations

import pytest

from cdner_bench import PluginError, Spec, plugins
from cdner_bench.plugins import options

GIVEN = (
    "target labels",
    "source labels",
    ("explanations", "pretraining", ("gtok",)),
    ("unlabelled text", "n", range(1, 9)),
)
LABELS = ["source labels", "target labels"]
DIRECT = {"finetuning.transfer": "direct"}


def say(given: object, **values: object) -> tuple[str, ...] | None:
    return Spec("m", "m:M", "-", given=given).list_given(values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"pretraining": "gtok", "n": 1}, ("source labels", "target labels", "explanations", "unlabelled text")),
        ({"pretraining": "none", "n": 0}, ("source labels", "target labels")),
        ({"pretraining": None, "n": "1"}, ("source labels", "target labels")),
    ],
)
def test_values_of_options_decide(values: dict[str, object], expected: tuple[str, ...]) -> None:
    assert say(GIVEN, **values) == expected
    assert say(None, **values) is None
    assert say((), **values) == ()


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (("target label",), "method m: given: 'target label' is none of its words", "target labels"),
        (
            (("explanations", "pretrainig", ("gtok",)),),
            "method m: given: there is no option 'pretrainig'",
            "pretraining",
        ),
        ("explanations", "method m: given: 'e' is none of its words", ""),
    ],
)
def test_what_is_misspelt_is_named(given: object, message: str, hint: str) -> None:
    with pytest.raises(PluginError, match=message) as error:
        say(given, pretraining="gtok")
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("method", "chosen", "expected"),
    [
        ("gazetteer", {}, ["target labels"]),
        ("gazetteer", {"sources": True}, LABELS),
        ("bert-tagger", {}, [*LABELS, "a pre-trained model"]),
        ("bert-gtok", {}, [*LABELS, "explanations", "a pre-trained model"]),
        (
            "bert-tagger",
            {"pretraining": "gtok"},
            [*LABELS, "explanations", "a pre-trained model"],
        ),
        *((name, DIRECT, ["target labels", "a pre-trained model"]) for name in ("bert-tagger", "laner")),
        ("bert-gtok", DIRECT, ["target labels", "explanations", "a pre-trained model"]),
        ("daptn", DIRECT, ["target labels", "unlabelled text", "a pre-trained model"]),
        ("bert-tagger", {"finetuning.transfer": "joint"}, [*LABELS, "a pre-trained model"]),
        ("daptn", {}, [*LABELS, "unlabelled text", "a pre-trained model"]),
        ("daptn", {"pretraining": "none"}, [*LABELS, "a pre-trained model"]),
        ("laner", {}, [*LABELS, "a pre-trained model"]),
        ("laner", {"pretraining": "dapt"}, [*LABELS, "unlabelled text", "a pre-trained model"]),
        ("lst-ner", {}, [*LABELS, "a pre-trained model"]),
        ("mccl", {}, [*LABELS, "a pre-trained model"]),
        ("topt", {}, [*LABELS, "explanations", "a pre-trained model"]),
        ("topt-no-gtok", {}, ["source labels", "target labels", "a pre-trained model"]),
        ("topt-dapt", {}, ["source labels", "target labels", "unlabelled text", "a pre-trained model"]),
        ("gpt4", {}, ["a pre-trained model"]),
        ("gpt4", {"shots": 4}, ["target labels", "a pre-trained model"]),
        ("qlora-llama2", {}, ["source labels", "target labels", "a pre-trained model"]),
        ("lora-llama2", {}, ["source labels", "target labels", "a pre-trained model"]),
    ],
)
def test_what_the_project_s_methods_are_given(method: str, chosen: dict[str, object], expected: list[str]) -> None:
    spec = plugins.discover().get(method).spec
    assert list(spec.list_given(options.as_dict(spec.resolve(None, chosen))) or ()) == expected


@pytest.mark.parametrize(
    ("method", "chosen", "expected"),
    [
        ("topt", {}, ["gtok"]),
        ("topt-no-gtok", {}, []),
        ("bert-tagger", {}, []),
        ("bert-tagger", {"pretraining": "gtok"}, ["gtok"]),
        ("bert-gtok", {}, ["gtok"]),
        ("laner", {}, []),
        ("laner", {"pretraining": "dapt"}, ["dapt"]),
        ("annotate-then-tag", {}, ["dapt"]),
        ("annotate-then-tag", {"pretraining": "gtok"}, ["dapt", "gtok"]),
    ],
)
def test_what_the_project_s_methods_need(method: str, chosen: dict[str, object], expected: list[str]) -> None:
    spec = plugins.discover().get(method).spec
    assert list(spec.list_resources(options.as_dict(spec.resolve(None, chosen)))) == expected


def test_a_misspelt_option_of_a_resource_is_named() -> None:
    spec = Spec("m", "m:M", "-", resources=(("gtok", "pretrainig", ("gtok",)),))
    with pytest.raises(PluginError, match="method m: resources: there is no option 'pretrainig'"):
        spec.list_resources({"pretraining": "gtok"})


def test_every_method_of_the_project_says_it() -> None:
    assert [entry.spec.name for entry in plugins.discover() if entry.spec.given is None] == []
