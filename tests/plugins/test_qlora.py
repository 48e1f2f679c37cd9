"""qlora-llama2 and lora-llama2, on a tiny random Llama whose layers really are in 4 bits."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
bitsandbytes = pytest.importorskip("bitsandbytes")

from cdner_bench import Corpus, plugins, text2text  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError, FetchError  # noqa: E402
from cdner_bench.io import models  # noqa: E402
from cdner_bench.plugins import conformance  # noqa: E402
from cdner_bench.running import runner  # noqa: E402
from cdner_qlora import method as qlora  # noqa: E402
from cdner_qlora import model, quantisation  # noqa: E402
from cdner_qlora.method import Qlora  # noqa: E402
from cdner_qlora.model import Adapted  # noqa: E402
from cdner_qlora.options import Adapters, Finetuning, Network, QloraOptions, Source, Target  # noqa: E402
from cdner_torch import checkpoint, hub, loop  # noqa: E402
from cdner_torch.batches import IGNORED, InMemory  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from cdner_torch.descent import Descent  # noqa: E402
from cdner_torch.generators import Causal, Example  # noqa: E402
from cdner_torch.lengths import TokenLimits  # noqa: E402
from cdner_torch.loop import train  # noqa: E402
from cdner_torch.options import Decoding  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402
from cdner_torch.weights import restore  # noqa: E402
from support import Nobody, change, context, judged_by  # noqa: E402

FP32 = Compute("cpu", "fp32")
NF4 = Adapters(quantisation="nf4", rank=4, alpha=16, dropout=0.0, checkpointing=False)
PAIRS = [(f"say {word} :" + " and" * n, word * (n + 1)) for n, word in enumerate(["red", "green", "blue", "white"] * 2)]


def load(place: str, compute: Compute = FP32, **chosen: Any) -> Adapted:
    return model.load(place, compute, TokenLimits(answer=8), replace(NF4, **chosen), 0)


def options(place: str, **chosen: object) -> QloraOptions:
    base = QloraOptions(
        backbone=place,
        network=Network(precision="fp32"),
        adapters=Adapters(rank=4, dropout=0.0),
        finetuning=Finetuning(learning_rate=1e-2, batch_size=4),
        source=Source(epochs=1),
        target=Target(epochs=2),
        decoding=Decoding(max_answer=4),
    )
    made: QloraOptions = change(base, **chosen)
    return made


def learn(network: Adapted, folder: Path, schedule: Schedule, pairs: Sequence[tuple[str, str]] = PAIRS) -> Any:
    folder.mkdir(exist_ok=True)
    examples = network.encode(pairs)
    train(network, InMemory(lambda _: examples, schedule.batch_size, 0), schedule, "t", context(folder), folder)
    return restore(folder)


def learn_till_interrupted(network: Adapted, folder: Path, schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps, the last of which leaves a checkpoint."""

    def interrupt(self: Nobody, step: int, total: int, numbers: Mapping[str, float]) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Nobody, "progress", interrupt)
        with pytest.raises(KeyboardInterrupt):
            learn(network, folder, schedule)
    assert (folder / checkpoint.NAME).exists()


def layers(network: Adapted) -> list[Any]:
    return [module.base_layer for module in network.network.modules() if hasattr(module, "lora_A")]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus, train: int) -> Corpus:
        return replace(corpus.without_test(), train=corpus.train[:train], dev=corpus.dev[:3])

    return [cut(mini.corpus("news"), 16), cut(mini.corpus("music"), 4)], cut(mini.corpus("ai"), 6)


# --- four bits -------------------------------------------------------------------------------------------------------


def test_every_linear_layer_but_the_head_is_in_four_bits_with_double_quantisation(tiny_llama: str) -> None:
    network = load(tiny_llama)
    found = layers(network)
    assert len(found) == 7
    for layer in found:
        assert isinstance(layer, bitsandbytes.nn.Linear4bit)
        assert layer.weight.dtype == torch.uint8
        assert layer.weight.numel() * 2 == layer.in_features * layer.out_features
        assert (layer.weight.quant_state.quant_type, layer.weight.quant_state.nested) == ("nf4", True)
        assert layer.compute_dtype == torch.float32
    plain = [name for name, module in network.network.named_modules() if type(module) is torch.nn.Linear]
    assert [name for name in plain if "lora_" not in name] == ["base_model.model.lm_head"]
    assert layers(load(tiny_llama, Compute("cpu", "bf16")))[0].compute_dtype == torch.bfloat16


def test_weights_are_near_what_they_were_and_only_sixteen_to_a_block(tiny_llama: str) -> None:
    quantised, whole = layers(load(tiny_llama))[0], layers(load(tiny_llama, quantisation="none"))[0]
    one, other = quantisation.weight(quantised), quantisation.weight(whole)
    assert torch.equal(other, whole.weight)
    assert 0 < (one - other).abs().mean() < 0.15 * other.abs().mean()
    assert all(len(block.unique()) <= 16 for block in one.flatten().view(-1, 64))


def test_without_quantisation_there_are_no_four_bit_layers(tiny_llama: str) -> None:
    assert {type(layer) for layer in layers(load(tiny_llama, quantisation="none"))} == {torch.nn.Linear}


# --- learning --------------------------------------------------------------------------------------------------------


def test_adapters_learn_and_the_base_stays_as_it_is(tiny_llama: str, tmp_path: Path) -> None:
    network = load(tiny_llama)
    assert all("lora_" in name for name in network.state())
    frozen = {name: p.detach().clone() for name, p in network.network.named_parameters() if not p.requires_grad}
    states = [(layer.weight.quant_state.absmax.clone(), quantisation.weight(layer)) for layer in layers(network)]
    before, started = network.loss(network.encode(PAIRS)).item(), {n: t.clone() for n, t in network.state().items()}
    learn(network, tmp_path, Schedule(30, 4, 1e-2))
    network.answers(["say red :"], FP32)
    assert network.loss(network.encode(PAIRS)).item() < 0.95 * before
    assert not any(torch.equal(started[name], tensor) for name, tensor in network.state().items())
    assert same(frozen, {name: p for name, p in network.network.named_parameters() if not p.requires_grad})
    for layer, (scales, weight) in zip(layers(network), states, strict=True):
        assert torch.equal(layer.weight.quant_state.absmax, scales)
        assert torch.equal(quantisation.weight(layer), weight)
        assert layer.weight.quant_state.nested


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_batch_says_what_is_common_once_and_loses_as_its_examples_alone(tiny_llama: str, attention: str) -> None:
    network = load(tiny_llama)
    network.network.set_attn_implementation(attention)
    examples = network.encode([*PAIRS, PAIRS[0], ("say", "nothing"), ("another question", "red")])
    batch = network.batch(examples)
    whole = sum(len(e.source) + len(e.target) for e in examples)
    assert batch["input_ids"].shape[1] == len({(*e.source, *e.target)[:n] for e in examples for n in range(1, whole)})
    assert batch["input_ids"].shape[1] < 0.8 * whole
    learnt = [label for label in batch["labels"][0].tolist() if label != IGNORED]
    assert learnt == [token for e in examples for token in e.target]
    assert {e.target[-1] for e in examples} == {network.tokenizer.eos_token_id}

    def lost(batches: Sequence[Mapping[str, Any]], terms: Sequence[int]) -> dict[str, Any]:
        network.network.zero_grad()
        loss = sum(network.network(**b).loss * n for b, n in zip(batches, terms, strict=True))
        loss.backward()
        return {"loss": loss.detach(), **{n: p.grad.clone() for n, p in network.learnt()}}  # type: ignore[union-attr]

    terms = [len(e.target) for e in examples]
    one, other = lost([batch], [sum(terms)]), lost([Causal.batch(network, [e]) for e in examples], terms)
    assert all(torch.allclose(one[name], other[name], rtol=1e-4, atol=1e-5) for name in other)
    assert network.loss(examples).item() == pytest.approx(one["loss"].item(), rel=1e-5)


def test_long_texts_do_not_all_attend_to_each_other_at_once(tiny_llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of a whole batch keeps the square of all its tokens: 16 texts of 512 would take a hundred gigabytes."""
    sizes: list[int] = []

    def loss(_: Adapted, part: Sequence[Example]) -> Any:
        sizes.append(len(part))
        return torch.zeros(1, requires_grad=True)

    monkeypatch.setattr(Adapted, "loss", loss)
    descent = Descent(load(tiny_llama), Schedule(1, 8, 0.0), 1, "t", logging.getLogger("t"))
    for length, expected in ((300, [2, 2, 2, 2]), (180, [8])):
        sizes.clear()
        descent.step(0, [Example((1,) * length, (2,))] * 8)
        assert sizes == expected


@pytest.mark.parametrize("bits", ["nf4", "none"])
def test_accumulated_gradients_are_those_of_the_whole_batch(tiny_llama: str, tmp_path: Path, bits: str) -> None:
    made = {
        parts: learn(load(tiny_llama, quantisation=bits), tmp_path / str(parts), Schedule(2, 8, 1e-3, parts=parts))
        for parts in (1, 3, 8)
    }
    for parts in (3, 8):
        assert all(torch.allclose(made[1][name], made[parts][name], atol=2e-5) for name in made[1])
    assert not same(made[1], load(tiny_llama, quantisation=bits).state())


def test_checkpointing_changes_no_number_and_computes_twice(tiny_llama: str) -> None:
    gradients, forwards = [], []
    for checkpointing in (False, True):
        network = load(tiny_llama, checkpointing=checkpointing)
        for layer in layers(network)[:1]:
            layer.register_forward_hook(lambda *_, place=checkpointing: forwards.append(place))
        network.network.train()
        loss = network.loss(network.encode(PAIRS))
        loss.backward()  # type: ignore[no-untyped-call]
        gradients.append({"loss": loss.detach(), **{n: p.grad for n, p in network.learnt()}})
    assert all(torch.allclose(gradients[0][n], gradients[1][n], atol=1e-6) for n in gradients[0])
    assert (forwards.count(False), forwards.count(True)) == (1, 2)


def test_the_rate_warms_up_and_stays_and_long_gradients_are_cut(tiny_llama: str, tmp_path: Path) -> None:
    schedule = Schedule(1, 4, 0.1, decay=False, warmup=0.03, max_norm=1e-3)
    assert [round(schedule.rate(n, 100), 4) for n in (0, 1, 2, 3, 99)] == [0.0333, 0.0667, 0.1, 0.1, 0.1]
    norms = []

    def sgd(parameters: Any, rate: float) -> Any:
        optimizer = torch.optim.SGD(parameters, lr=rate)
        optimizer.register_step_pre_hook(
            lambda *_: norms.append(torch.nn.utils.get_total_norm([p.grad for p in parameters]).item())
        )
        return optimizer

    learn(load(tiny_llama), tmp_path, replace(schedule, optimizer=sgd))
    assert norms == pytest.approx([1e-3] * 2, rel=1e-2)


def test_the_dev_score_in_between_changes_nothing_that_is_learnt(tiny_llama: str, tmp_path: Path) -> None:
    """bitsandbytes repacks a layer in eval mode, after which it passes no gradient on."""

    def made(folder: Path, *, asked: bool) -> Any:
        folder.mkdir()
        network = load(tiny_llama)
        examples = network.encode(PAIRS)
        data = InMemory(lambda _: examples, 4, 0)

        def dev_f1() -> float:
            if asked:
                network.network.eval()
                with torch.no_grad():
                    network.loss(examples)
                network.answers(["say red :"], FP32)
            return next(scores)

        scores = iter([1.0, 2.0, 3.0])
        train(network, data, Schedule(3, 4, 1e-2), "t", context(folder), folder, judged_by(dev_f1))
        return restore(folder)

    assert same(made(tmp_path / "a", asked=True), made(tmp_path / "b", asked=False))


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", ["nf4", "none"])
def test_unpacked_weights_answer_as_the_layers_do(tiny_llama: str, tmp_path: Path, bits: str) -> None:
    network = load(tiny_llama, quantisation=bits)
    plain = network.plain()
    for step in range(2):  # before and after learning: the copy follows the adapters
        plain = network.plain()
        ids = torch.tensor([list(example.source) for example in network.encode([("say something", "")])])
        with torch.no_grad():
            network.network.eval()
            one, other = network.network(input_ids=ids).logits, plain.network(input_ids=ids).logits
        assert torch.allclose(one, other, atol=1e-4), step
        assert one.std() > 10 * (one - other).abs().max()
        assert not any(hasattr(m, "lora_A") or hasattr(m.weight, "quant_state") for m in _linear(plain.network))
        said = network.answers([source for source, _ in PAIRS], FP32)
        assert said == Causal.answers(network, [source for source, _ in PAIRS], FP32)
        learn(network, tmp_path, Schedule(20, 4, 1e-2))
    assert any(said)


def _linear(network: Any) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, torch.nn.Linear)]


def test_an_answer_is_the_same_alone_and_in_a_batch(tiny_llama: str, tmp_path: Path) -> None:
    network = load(tiny_llama)
    learn(network, tmp_path, Schedule(40, 4, 1e-2))
    prompts = [source for source, _ in PAIRS]
    together = network.answers(prompts, FP32)
    assert together == [network.answers([p], FP32)[0] for p in prompts]
    assert any(together)


# --- transfer --------------------------------------------------------------------------------------------------------


def test_an_interrupted_run_ends_as_an_undisturbed_one(
    tiny_llama: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    chosen = options(tiny_llama, adapters={"dropout": 0.1}, source={"epochs": 2})
    undisturbed = Qlora(chosen)
    undisturbed.fit(sources, target, context(tmp_path / "a"))

    class Interrupted(Nobody):
        steps = 0

        def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
            self.steps += 1
            if self.steps in (3, 8, 14):
                raise KeyboardInterrupt

    observer, method, interruptions = Interrupted(), Qlora(chosen), 0
    for _ in range(10):
        run = context(tmp_path / "b")
        run.observer = observer
        method = Qlora(chosen)
        try:
            method.fit(sources, target, run)
            break
        except KeyboardInterrupt:
            interruptions += 1
    assert interruptions == 3
    assert same(undisturbed.model.state(), method.model.state())
    assert not list(tmp_path.rglob("*.draft"))
    assert not list(tmp_path.rglob("checkpoint.safetensors"))


@pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")
def test_moments_in_eight_bits_outlive_an_interruption(
    tiny_llama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    made: list[Any] = []

    def optimizer(parameters: Any, rate: float) -> Any:
        made.append(quantisation.optimizer(parameters, rate))
        return made[-1]

    schedule = Schedule(3, 4, 1e-2, decay=False, warmup=0.5, optimizer=optimizer)
    undisturbed = learn(load(tiny_llama, rank=64), tmp_path / "a", schedule)
    assert {state["state1"].dtype for state in made[0].state.values()} == {torch.uint8, torch.float32}

    learn_till_interrupted(load(tiny_llama, rank=64), tmp_path / "b", schedule, monkeypatch)
    assert same(undisturbed, learn(load(tiny_llama, rank=64), tmp_path / "b", schedule))
    assert [next(iter(o.state.values()))["step"] for o in made] == [6, 4, 6]


@pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")
def test_a_checkpoint_of_another_optimizer_or_precision_is_begun_anew(
    tiny_llama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a run that began on a CPU goes on with a GPU: its moments have other names there, and it crashed."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    eight_bits = Schedule(3, 4, 1e-2, decay=False, optimizer=quantisation.optimizer)
    undisturbed = learn(load(tiny_llama, rank=64), tmp_path / "a", Schedule(3, 4, 1e-2, decay=False))

    learn_till_interrupted(load(tiny_llama, rank=64), tmp_path / "b", eight_bits, monkeypatch)
    assert same(undisturbed, learn(load(tiny_llama, rank=64), tmp_path / "b", Schedule(3, 4, 1e-2, decay=False)))


def test_the_same_adapters_go_on_from_sources_that_are_learnt_once(
    tiny_llama: str, domains: tuple[list[Corpus], Corpus], mini: Benchmark, tmp_path: Path
) -> None:
    sources, target = domains
    science = mini.corpus("science").without_test()
    other = replace(science, train=science.train[:2], dev=science.dev[:1])
    begun: list[Any] = []
    changes: list[tuple[dict[str, Any], Corpus, bool]] = [
        ({}, target, False),
        ({"target": {"epochs": 1}}, other, True),
        ({"adapters": {"rank": 2}}, target, False),
        ({"adapters": {"quantisation": "none"}}, target, False),
        ({"finetuning": {"learning_rate": 1e-3}}, target, False),
    ]
    for number, (chosen, where, shared) in enumerate(changes):
        run = context(tmp_path)
        run.workdir = tmp_path / f"run{number}"
        method = Qlora(options(tiny_llama, **chosen))

        class Noting(Nobody):
            learner = method

            def phase(self, name: str) -> None:
                if name == "target":
                    begun.append({name: tensor.clone() for name, tensor in self.learner.model.state().items()})

        run.observer = Noting()
        method.fit(sources, where, run)
        assert [(p.name, p.reused) for p in run.phases if p.name != "dev"] == [("source", shared), ("target", False)]
    (first, *_) = sorted((tmp_path / "shared").glob("source-*[0-9a-f]"), key=lambda p: p.stat().st_mtime)
    assert same(begun[0], begun[1])
    assert any(same(begun[0], restore(p)) for p in (tmp_path / "shared").glob("source-*[0-9a-f]"))
    assert not same(begun[0], begun[4])
    assert first.is_dir()


def encoded(method: Qlora, corpus: Corpus) -> list[Example]:
    return method.model.encode([(text2text.prompt(s, corpus.types), text2text.answer(s)) for s in corpus.train])


def test_sources_are_pooled_by_the_square_root_of_their_size(
    tiny_llama: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, target = domains  # 16 and 4 sentences: 2 to 1 of 20
    drawn: list[list[Example]] = []

    def noted(network: Any, data: Any, schedule: Any, phase: str, run: Any, place: Path, dev: Any = None) -> None:
        drawn.extend(data.draw(epoch) for epoch in range(2) if phase == "source")
        network.keep(place)

    monkeypatch.setattr(qlora, "train", noted)
    method = Qlora(options(tiny_llama))
    method.fit(sources, target, context(tmp_path))
    news, music = ({e.source for e in encoded(method, corpus)} for corpus in sources)
    for epoch in drawn:
        assert [sum(tuple(e.source) in pool for e in epoch) for pool in (news, music)] == [13, 7]
    assert drawn[0] != drawn[1]
    drawn.clear()
    Qlora(options(tiny_llama)).fit(sources[:1], target, context(tmp_path / "single"))
    assert {tuple(e.source) for e in drawn[0]} == news
    assert len(drawn[0]) == 16


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's
def test_the_adapter_is_a_file_that_peft_reads(
    tiny_llama: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    sources, target = domains
    run = context(tmp_path)
    method = Qlora(options(tiny_llama))
    for _ in range(2):  # the second run finds the folder of the first
        method.fit(sources[:1], target, run)
    folder = run.workdir / "adapter"
    assert {"adapter_model.safetensors", "adapter_config.json"} <= {p.name for p in folder.iterdir()}
    assert str(tmp_path) not in (folder / "adapter_config.json").read_text(encoding="utf-8")
    base = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=torch.float32)
    again = PeftModel.from_pretrained(base, str(folder))
    theirs = {name: p for name, p in again.named_parameters() if "lora_" in name}
    assert same(method.model.state(), theirs)


@pytest.mark.parametrize(("name", "setting"), [("qlora-llama2", "single"), ("lora-llama2", "multi")])
def test_a_run_from_scenario_to_score(
    name: str, setting: str, tiny_llama: str, mini: Benchmark, tmp_path: Path
) -> None:
    chosen = {"backbone": tiny_llama, "target.epochs": 1, "source.sentences": 4, "max_answer": 2, "rank": 2}
    entry = plugins.discover().get(name)
    jobs = runner.plan(mini, mini.list_scenarios(setting, ["ai"]), [entry], "quick", chosen, [0])
    (outcome,) = runner.run(jobs, tmp_path, Nobody())
    assert outcome.message == ""
    assert outcome.f1 is not None
    assert outcome.result is not None
    assert [p.name for p in outcome.result.phases][1:3] == ["source", "target"]
    assert (tmp_path / "runs" / outcome.job.id / "adapter" / "adapter_model.safetensors").is_file()


@pytest.mark.slow
def test_it_keeps_the_contract(tiny_llama: str) -> None:
    entry = plugins.discover().get("qlora-llama2")
    chosen = {"backbone": tiny_llama, "epochs": 1, "max_answer": 3, "rank": 2, "precision": "fp32"}
    assert [check for check in conformance.check(entry, chosen) if check.problem] == []


def test_presets_hold_for_both() -> None:
    for name, bits in (("qlora-llama2", "nf4"), ("lora-llama2", "none")):
        spec = plugins.discover().get(name).spec
        assert {spec.resolve(preset, {}).adapters.quantisation for preset in spec.presets} == {bits}
        paper = spec.resolve("paper", {})
        adapters, learning = paper.adapters, paper.finetuning
        assert paper.backbone == "meta-llama/Llama-2-7b-hf"
        assert (adapters.rank, adapters.alpha, adapters.dropout) == (64, 16, 0.1)
        assert (learning.learning_rate, learning.warmup, learning.max_norm, learning.batch_size) == (
            2e-4,
            0.03,
            0.3,
            16,
        )
        assert (paper.source.epochs, paper.target.epochs, paper.target.select) == (2, 10, "dev")
        assert paper.decoding.max_answer == 256
        assert paper.network.max_source + paper.network.max_target == 512


# --- what the user can mend ------------------------------------------------------------------------------------------


def test_no_bitsandbytes(tiny_llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("bitsandbytes"):
            raise ModuleNotFoundError("No module named 'bitsandbytes'", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(CdnerError, match="4-bit layers need bitsandbytes") as caught:
        quantisation.check("cpu")
    assert "cdner-bench[qlora]" in (caught.value.hint or "")
    assert "-o adapters.quantisation=none" in (caught.value.hint or "")


@pytest.mark.parametrize("broken", ["raises", "wrong"])
def test_a_machine_that_cannot_quantise(tiny_llama: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def quantise(*_: Any, **__: Any) -> Any:
        raise NotImplementedError("no kernel for this device")

    def unpack(packed: Any, *_: Any) -> Any:
        return torch.zeros(64, 64)

    name, other = ("quantize_4bit", quantise) if broken == "raises" else ("dequantize_4bit", unpack)
    monkeypatch.setattr(bitsandbytes.functional, name, other)
    with pytest.raises(CdnerError, match="cannot quantise to 4 bits on this cpu") as caught:
        load(tiny_llama)
    assert "-o adapters.quantisation=none" in (caught.value.hint or "")


def test_a_backbone_that_is_no_decoder(tiny_t5: str) -> None:
    with pytest.raises(CdnerError, match="is no decoder") as caught:
        load(tiny_t5)
    assert "smollm2" in (caught.value.hint or "")


def test_a_backbone_of_the_hub_without_a_network() -> None:
    with pytest.raises(CdnerError, match="cannot be loaded from a folder") as caught:
        load("meta-llama/Llama-2-7b-hf")
    assert "hf download meta-llama/Llama-2-7b-hf" in (caught.value.hint or "")


def test_a_backbone_that_does_not_fit(tiny_llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(hub, "load_model", full)
    with pytest.raises(CdnerError, match="does not fit into the memory of this cpu"):
        load(tiny_llama)


def test_bitsandbytes_is_quiet_about_what_is_not_used_only(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("bitsandbytes.backends.cpu.ops")
    log.warning("Failed to load CPU gemm_4bit_forward from kernels-community: %s", "x")
    log.warning("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]


# --- the small real model --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_small_llm_is_unpacked_once_and_quantised(tmp_path: Path) -> None:
    try:
        place = str(models.fetch("smollm2"))
    except FetchError as error:
        pytest.skip(str(error))
    run = context(tmp_path)
    folder = qlora.unpack(place, run)
    assert qlora.unpack(place, context(tmp_path, seed=1)) == folder
    network = model.load(folder, Compute("cpu", "bf16"), TokenLimits(answer=4), NF4, 0)
    assert len(layers(network)) == 210
    assert {layer.weight.dtype for layer in layers(network)} == {torch.uint8}
    right, swapped = (
        network.encode([("The capital of France is", a), ("Two and two are", b)])
        for a, b in ((" Paris", " four"), (" four", " Paris"))
    )
    with torch.no_grad():
        assert network.loss(right).item() < network.loss(swapped).item()
    assert text2text.UNKNOWN not in network.answers(["The capital of France is"], FP32)[0]
