"""Surprisal under tiny random decoders, against full logits of one unit at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cdner_bench.errors import CdnerError, OptionError  # noqa: E402
from cdner_density import causal  # noqa: E402
from cdner_density.causal import CausalModel, Passage  # noqa: E402

TEXTS = [
    "the cat sat", "", "a", "a much longer unit, which goes on and on until it is the longest of them all", "cat",
    "the cat sat", "été 東京", "the cat sat on the mat", "b",
]  # fmt: skip
POSITIONS = 128


@pytest.fixture(scope="session")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Tokens are bytes; of the marks that begin and end a text there are both, the second, or neither."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())

    def made(**marks: str) -> Any:
        pieces = {piece: n for n, piece in enumerate([*letters, "<start>", "<end>"])}
        tokenizer = Tokenizer(kinds.BPE(pieces, []))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **marks)

    return {
        "both": made(bos_token="<start>", eos_token="<end>"),
        "end": made(eos_token="<end>"),
        "neither": made(),
    }


def network(kind: str) -> Any:
    from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    # Weights ten times as large as usual: what is said then depends on all of the context.
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=258, n_embd=32, n_layer=2, n_head=2, n_positions=POSITIONS, initializer_range=0.2)
        )
    shape: dict[str, Any] = {
        "vocab_size": 258, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": POSITIONS,
        "initializer_range": 0.2,
    }  # fmt: skip
    if kind == "gemma2":
        return Gemma2ForCausalLM(Gemma2Config(**shape, head_dim=8, final_logit_softcapping=1.0))
    return LlamaForCausalLM(LlamaConfig(**shape))


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, tokenizers: dict[str, Any]) -> dict[str, str]:
    """Folders of models by kind and marks."""
    out = {}
    for kind, marks in (
        ("llama", "both"), ("llama", "end"), ("llama", "neither"), ("gpt2", "end"), ("gemma2", "both"),
    ):  # fmt: skip
        folder = tmp_path_factory.mktemp(f"{kind}-{marks}")
        network(kind).save_pretrained(folder)
        tokenizers[marks].save_pretrained(folder)
        out[f"{kind}-{marks}"] = str(folder)
    return out


def load(place: str, window: int | None = None, stride: int | None = None, batch_tokens: int = 64) -> CausalModel:
    return CausalModel(place, window=window, stride=stride, batch_tokens=batch_tokens)


def reference(place: str, texts: Sequence[str], first: int | None) -> list[np.ndarray]:
    """From the full logits of one unit at a time, of a network of its own."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    plain, tokenizer = AutoModelForCausalLM.from_pretrained(place).eval(), AutoTokenizer.from_pretrained(place)
    out = []
    for text in texts:
        row = ([] if first is None else [first]) + tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(row) < 2:
            out.append(np.zeros(0))
            continue
        with torch.no_grad():
            said = plain(torch.tensor([row])).logits[0].double().log_softmax(-1)
        out.append(np.array([-said[n - 1, row[n]].item() for n in range(1, len(row))]))
    return out


def same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], within: float = 1e-4) -> None:
    assert [len(f) for f in found] == [len(e) for e in expected]
    assert {f.dtype for f in found} == {np.dtype(np.float64)}
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e, atol=within, rtol=0)


START, END = 256, 257
KINDS = [("llama-both", START), ("llama-end", END), ("llama-neither", None), ("gpt2-end", END), ("gemma2-both", START)]


# --- against full logits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "first"), KINDS)
@pytest.mark.parametrize("batch_tokens", [1, 64, 4096])
def test_batches_say_what_full_logits_of_one_unit_say(
    places: dict[str, str], kind: str, first: int | None, batch_tokens: int
) -> None:
    found = list(load(places[kind], batch_tokens=batch_tokens).surprisals(TEXTS))
    expected = reference(places[kind], TEXTS, first)
    assert np.concatenate(expected).std() > 0.2  # random models differ enough for a shifted token to show
    same(found, expected)


def test_batches_say_what_one_unit_at_a_time_says(places: dict[str, str]) -> None:
    model = load(places["llama-both"], batch_tokens=256)
    same(list(model.surprisals(TEXTS)), [s for text in TEXTS for s in model.surprisals([text])], 1e-5)


def test_logits_in_pieces_are_logits_at_once(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(places["llama-both"])
    rows: list[int] = []
    model.head.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    at_once = list(model.surprisals(TEXTS))
    assert sum(rows) == sum(len(s) for n, s in enumerate(at_once) if n != 5)  # one comes twice, and is read once
    monkeypatch.setattr(causal, "HEAD_ROWS", 3)
    rows.clear()
    same(list(model.surprisals(TEXTS)), at_once, 1e-5)
    assert max(rows) == 3


def test_capped_logits_are_the_network_s_own(places: dict[str, str]) -> None:
    assert isinstance(load(places["gemma2-both"]).head, torch.nn.Identity)
    assert not isinstance(load(places["llama-both"]).head, torch.nn.Identity)


# --- what there is to score ------------------------------------------------------------------------------------------


def test_order_is_kept_and_empty_units_are_empty(places: dict[str, str]) -> None:
    texts = ["", *(letter * n for n, letter in enumerate("cadbe" * 6, 1)), ""]
    for kind, less in (("llama-both", 0), ("llama-neither", 1)):
        found = list(load(places[kind]).surprisals(texts))
        assert [len(s) for s in found] == [max(0, len(text) - less) for text in texts]
    assert list(load(places["llama-both"]).surprisals([])) == []
    assert [len(s) for s in load(places["llama-neither"]).surprisals(["", "a", ""])] == [0, 0, 0]


def test_a_repeated_unit_has_an_array_of_its_own(places: dict[str, str]) -> None:
    one, _, other = load(places["llama-both"]).surprisals(["cat", "b", "cat"])
    one[:] = 0
    assert other.all()


def test_it_streams(places: dict[str, str]) -> None:
    model = load(places["llama-both"], batch_tokens=16)
    read = 0

    def units() -> Iterator[str]:
        nonlocal read
        for n in range(1000):
            read += 1
            yield ["one unit", "", "two"][n % 3]

    going = model.surprisals(units())
    next(going)
    assert read < 300
    assert len(list(going)) == 999
    assert read == 1000


def test_empty_units_are_not_read_ahead_for_ever(places: dict[str, str]) -> None:
    model = load(places["llama-neither"], batch_tokens=8)
    read: list[int] = []
    assert len(next(model.surprisals(read.append(n) or "" for n in range(100_000)))) == 0  # type: ignore[func-returns-value]
    assert len(read) < 1000


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", range(14))
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (4, 1), (4, 2), (4, 4), (5, 3), (20, 10)])
def test_windows_score_each_token_once_with_the_context_there_is(length: int, size: int, stride: int) -> None:
    row = tuple(range(100, 100 + length))
    found = list(causal.split_windows(row, size, stride))
    assert [token for part in found for token in part.targets] == list(row[1:])
    for n, part in enumerate(found):
        assert 0 < len(part.inputs) <= size
        assert part.inputs == row[part.start : part.end - 1]
        assert part.start == 0 or len(part.inputs) == size
        assert n == 0 or len(part.targets) <= stride


def test_batches_hold_as_many_tokens_as_they_may() -> None:
    parts = [Passage(tuple(range(n)), 0, 1, n) for n in (3, 30, 4, 5, 9, 2, 8, 8)]
    found = list(causal.make_batches(parts, 16))
    assert sorted(p.end for batch in found for p in batch) == sorted(p.end for p in parts)
    sizes = [[len(p.inputs) for p in batch] for batch in found]
    assert sizes == [[29], [8, 7], [7, 4], [3, 2, 1]]


def test_a_unit_longer_than_the_model_is_scored_in_windows(places: dict[str, str]) -> None:
    text = "the quick brown fox jumps over the lazy dog, " * 9
    for kind, first in (("llama-both", START), ("gpt2-end", END)):
        model = load(places[kind])
        assert (model.window, model.stride) == (POSITIONS, POSITIONS // 2)
        (found,) = model.surprisals([text])
        assert len(found) == len(text) > 3 * POSITIONS
        row = [first, *model.tokenizer(text)["input_ids"]]
        expected: list[float] = []
        while len(expected) < len(text):  # by hand: the window moves on by its stride
            end = min(len(row), len(expected) + (POSITIONS // 2 if expected else POSITIONS) + 1)
            start = max(0, end - 1 - POSITIONS)
            with torch.no_grad():
                said = model.network(torch.tensor([row[start : end - 1]])).logits[0].log_softmax(-1)
            expected += [-said[n - 1 - start, row[n]].item() for n in range(len(expected) + 1, end)]
        same([found], [np.array(expected)])


def test_a_window_that_covers_the_unit_changes_nothing(places: dict[str, str]) -> None:
    texts = ["abcdefghijklmnop", "abc"]
    whole = list(load(places["llama-both"]).surprisals(texts))
    same(list(load(places["llama-both"], window=16, stride=3).surprisals(texts)), whole, 1e-5)
    longest, shortest = load(places["llama-both"], window=15, stride=3).surprisals(texts)
    same([longest[:15], shortest], [whole[0][:15], whole[1]], 1e-5)
    assert abs(longest[15] - whole[0][15]) > 1e-3  # it has lost sight of the beginning


def test_the_window_is_no_wider_than_the_model(places: dict[str, str]) -> None:
    assert load(places["llama-both"], window=10**6).window == POSITIONS
    for chosen in ({"window": 8, "stride": 9}, {"window": 0}, {"stride": 0}):
        with pytest.raises(OptionError, match="do not go together"):
            load(places["llama-both"], **chosen)


# --- which models ----------------------------------------------------------------------------------------------------


def test_what_is_not_causal_is_refused(tiny_bert: str, tiny_t5: str, tiny_bart: str, tmp_path: Path) -> None:
    for place, reason in ((tiny_bert, "an encoder"), (tiny_t5, "encoder-decoder"), (tiny_bart, "encoder-decoder")):
        with pytest.raises(CdnerError, match=reason) as refused:
            load(place)
        assert "models fetch smollm2" in str(refused.value.hint)
    with pytest.raises(CdnerError, match="cannot be loaded"):
        load(str(tmp_path / "nowhere"))


def test_a_model_that_looks_ahead_is_refused(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import LlamaModel

    forward = LlamaModel.forward

    def ahead(self: Any, **inputs: Any) -> Any:
        said = forward(self, **inputs)
        said.last_hidden_state = said.last_hidden_state.flip(1)
        return said

    monkeypatch.setattr(LlamaModel, "forward", ahead)
    with pytest.raises(CdnerError, match="a later token changes"):
        load(places["llama-both"])


def test_facts(places: dict[str, str]) -> None:
    model = load(places["llama-end"], window=64)
    assert model.parameters == sum(p.numel() for p in network("llama").parameters())
    assert (model.window, model.stride, model.context) == (64, 32, model.tokenizer.eos_token_id)
    assert load(places["llama-neither"]).context is None
