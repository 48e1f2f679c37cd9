"""daptn: masked-LM on unlabelled text of the domain before the tagger, on a tiny random encoder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cdner_bench import CdnerError, Corpus, Entity, NotRunError, Sentence, plugins  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_tagger.method import BertTagger, Daptn  # noqa: E402
from cdner_torch import loop  # noqa: E402
from cdner_torch.tagging import mlm  # noqa: E402
from cdner_torch.tagging.model import bio_labels, load_encoder, load_tokenizer  # noqa: E402
from cdner_torch.tagging.transfer import Transfer  # noqa: E402
from support import Killer, KillerOfSeconds, context, fit_stubbornly  # noqa: E402

SMALL = {
    "network.precision": "fp32",
    "mlm.epochs": 2,
    "mlm.block": 32,
    "mlm.dapt_tokens": 400,
    "source.epochs": 1,
    "target.epochs": 2,
    "target.learning_rate": 1e-3,
}


def make(backbone: str, **chosen: Any) -> Daptn:
    spec = plugins.discover().get("daptn").spec
    options = {name.replace("__", "."): value for name, value in chosen.items()}
    return Daptn(spec.resolve(None, {**SMALL, "backbone": backbone, **options}))


def weights(method: Transfer) -> dict[str, Any]:
    return dict(method.tagger.state_dict())


# --- the text ---------------------------------------------------------------------------------------------------------


def test_rows_run_on_from_line_to_line_and_are_made_as_they_are_asked_for(tiny_bert: str) -> None:
    tokenizer, read = load_tokenizer(tiny_bert), 0

    def lines() -> Iterator[str]:
        nonlocal read
        for n in range(5000):
            read += 1
            yield f"line {n} of the text"

    whole = tokenizer(" ".join(lines()), add_special_tokens=False)["input_ids"]
    read = 0
    rows = mlm.cut(lines(), tokenizer, 32)
    first = list(islice(rows, 3))
    assert read < 5000
    assert {len(row) for row in first} == {32}
    inner = [i for row in (*first, *rows) for i in row[1:-1]]
    assert inner == whole


def test_what_is_learnt_of_the_text(tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path) -> None:
    """The encoder changes, the stage is shared, and both the text and the budget decide which one it is."""
    sources, target = domains
    text = tmp_path / "text.txt"
    text.write_text("a neural network is the product of ai\n\n" * 60)
    other = tmp_path / "other.txt"
    other.write_text("of the neural product a network is ai\n\n" * 60)
    stages = []
    for number, (path, budget) in enumerate([(text, 200), (text, 200), (text, 100), (other, 200)]):
        run = replace(context(tmp_path), workdir=tmp_path / f"run{number}")
        make(tiny_bert, mlm__dapt_tokens=budget).fit(sources, replace(target, resources={"dapt": path}), run)
        assert [p.name for p in run.phases] == ["mlm", "source", "target", "dev"]
        assert [p.reused for p in run.phases[:2]] == [number == 1] * 2
        stages.append({folder.name for folder in (tmp_path / "shared").glob("mlm-*[0-9a-f]")})
    assert list(map(len, stages)) == [1, 1, 2, 3]
    before, after = load_encoder(tiny_bert), load_encoder(str(tmp_path / "shared" / stages[0].pop()))
    assert not torch.equal(before.embeddings.word_embeddings.weight, after.embeddings.word_embeddings.weight)


@pytest.mark.parametrize(
    ("text", "budget", "problem"),
    [
        (None, None, "needs unlabelled text of ai"),
        ("", None, r"text\.txt holds no text$"),
        (" \n\n\t\n", None, r"text\.txt holds no text$"),
        (" \n", 2, r"text\.txt holds no text$"),
        ("one two three\n", 2, r"text\.txt holds no text within mlm\.dapt_tokens=2: its first line has 3 words$"),
    ],
)
def test_text_that_cannot_be_learnt_is_refused(
    text: str | None,
    budget: int | None,
    problem: str,
    tiny_bert: str,
    domains: tuple[list[Corpus], Corpus],
    tmp_path: Path,
) -> None:
    path = tmp_path / "text.txt"
    if text is not None:
        path.write_text(text)
    resources = {} if text is None else {"dapt": path}
    with pytest.raises(NotRunError if text is None else CdnerError, match=problem):
        make(tiny_bert, mlm__dapt_tokens=budget).fit([], replace(domains[1], resources=resources), context(tmp_path))


# --- transfer ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transfer", ["pretrain-finetune", "direct", "joint"])
def test_every_kind_of_transfer_begins_with_the_text_and_repeats(
    transfer: str, tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    learnt: list[dict[str, Any]] = []
    for place in ("one", "two"):
        torch.manual_seed(len(learnt))  # what others have drawn changes nothing
        run = context(tmp_path / place)
        method = make(tiny_bert, finetuning__transfer=transfer, target__joint_repeats=2)
        method.fit(sources, target, run)
        assert run.phases[0].name == "mlm"
        learnt.append(weights(method))
    assert all(torch.equal(learnt[0][name], learnt[1][name]) for name in learnt[0])


def test_without_text_it_is_the_plain_tagger(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    daptn = make(tiny_bert, pretraining="none")
    spec = plugins.discover().get("bert-tagger").spec
    chosen = {name: value for name, value in SMALL.items() if name != "mlm.dapt_tokens"}
    plain = BertTagger(spec.resolve(None, {**chosen, "backbone": tiny_bert}))
    for method, place in ((daptn, "one"), (plain, "two")):
        method.fit(sources, replace(target, resources={}), context(tmp_path / place))
    assert all(torch.equal(weights(daptn)[name], tensor) for name, tensor in weights(plain).items())


def test_a_killed_run_ends_as_an_undisturbed_one(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the second step of each training."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    killer = KillerOfSeconds()
    (whole, curve), (other, curve_again) = (
        fit_stubbornly(lambda: make(tiny_bert, finetuning__batch_size=8), *domains, tmp_path / place, each)
        for place, each in (("a", Killer()), ("b", killer))
    )
    undisturbed, again = weights(whole), weights(other)
    assert killer.killed == {"mlm", "source", "target"}
    assert curve == curve_again
    assert all(torch.equal(undisturbed[name], again[name]) for name in undisturbed)


def test_it_keeps_the_contract(tiny_bert: str) -> None:
    entry = plugins.discover().get("daptn")
    assert [check for check in conformance.check(entry, {**SMALL, "backbone": tiny_bert}) if check.problem] == []


# --- odd domains and backbones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["…", "B-x", "a b", "x" * 600])
def test_any_name_and_a_single_type_will_do(kind: str, tiny_bert: str, mini: Benchmark, tmp_path: Path) -> None:
    """Types are known by their numbers; those of the source alone leave no trace in what is said."""
    sentences = tuple(Sentence(f"d/{n}", ("the", "of", "ai"), (Entity(0, 1, kind),)) for n in range(6))
    target = replace(mini.corpus("ai"), types=(kind,), train=sentences, dev=sentences[:2], test=())
    source = replace(mini.corpus("news"), train=mini.corpus("news").train[:8], dev=(), test=())
    method = make(tiny_bert)
    method.fit([source], target, context(tmp_path))
    assert method.tagger.labels == bio_labels([kind])
    (said,) = method.predict([sentences[0].unlabeled()], context(tmp_path))
    assert {entity.type for entity in said.entities} <= {kind}


@pytest.mark.parametrize(
    ("backbone", "what"),
    [("tiny_t5", "an encoder-decoder"), ("tiny_bart", "an encoder-decoder"), ("tiny_llama", "no encoder but a llama")],
)
@pytest.mark.parametrize("name", ["daptn", "bert-tagger"])
def test_a_backbone_that_is_no_encoder_is_named_with_those_that_fit(
    name: str, backbone: str, what: str, request: pytest.FixtureRequest, mini: Benchmark, tmp_path: Path
) -> None:
    spec = plugins.discover().get(name).spec
    options = spec.resolve(None, {"backbone": request.getfixturevalue(backbone)})
    with pytest.raises(CdnerError, match=f"is {what}") as caught:
        spec.load(plugins.Method)(options).fit([], mini.corpus("ai"), context(tmp_path))
    assert "minilm" in (caught.value.hint or "")


def test_an_encoder_of_another_family_fits(
    tiny_bert: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    from transformers import RobertaConfig, RobertaForMaskedLM

    place = shutil.copytree(tiny_bert, tmp_path / "roberta")
    size = load_encoder(tiny_bert).config.vocab_size
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=66, pad_token_id=0,
    )  # fmt: skip
    (place / "config.json").unlink()
    RobertaForMaskedLM(config).save_pretrained(place)
    run = context(tmp_path)
    method = make(str(place))
    method.fit(*domains, run)
    assert len(list(method.predict([s.unlabeled() for s in domains[1].dev], run))) == len(domains[1].dev)


# --- presets ----------------------------------------------------------------------------------------------------------


def test_presets_give_it_what_they_give_the_plain_tagger() -> None:
    """Sentences, epochs and where dev selects are those of `bert-tagger`, so that only the text makes a difference."""
    registry = plugins.discover()
    for preset in ("paper", "cpu", "quick"):
        ours, plain = (registry.get(name).spec.resolve(preset, {}) for name in ("daptn", "bert-tagger"))
        assert ours.pretraining == "dapt"
        for group in ("backbone", "network", "finetuning", "source", "target", "dev"):
            assert getattr(ours, group) == getattr(plain, group)
    paper = registry.get("daptn").spec.resolve("paper", {}).mlm
    assert (paper.epochs, paper.probability, paper.learning_rate, paper.block) == (15, 0.2, 5e-5, 512)
    assert paper.dapt_tokens is None
