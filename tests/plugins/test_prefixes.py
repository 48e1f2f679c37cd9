"""Prefixes in the attention of every architecture that takes them."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from transformers import (  # noqa: E402
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    GPT2Config,
    LlamaConfig,
    MT5Config,
    MT5ForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from cdner_bench.errors import CdnerError  # noqa: E402
from cdner_torch import prefixes  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Version v4.12.0 introduces:FutureWarning")

SIZE = 60
_T5 = {"vocab_size": SIZE, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_decoder_layers": 1,
       "num_heads": 2, "decoder_start_token_id": 0}  # fmt: skip
_BERT = {"vocab_size": SIZE, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 64, "max_position_embeddings": 64}  # fmt: skip
_BART = {"vocab_size": SIZE, "d_model": 32, "encoder_layers": 2, "decoder_layers": 1, "encoder_ffn_dim": 64,
         "decoder_ffn_dim": 64, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
         "max_position_embeddings": 64, "decoder_start_token_id": 2}  # fmt: skip


def bert2bert() -> Any:
    decoder = BertConfig(**_BERT, is_decoder=True, add_cross_attention=True)
    config = EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(**_BERT), decoder)
    config.decoder_start_token_id, config.pad_token_id = 2, 0
    return EncoderDecoderModel(config)


NETWORKS = {
    "t5": lambda: T5ForConditionalGeneration(T5Config(**_T5)),
    "mt5": lambda: MT5ForConditionalGeneration(MT5Config(**_T5)),
    "bart": lambda: BartForConditionalGeneration(BartConfig(**_BART)),
    "bert2bert": bert2bert,
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    made = NETWORKS[request.param]()
    made.set_attn_implementation("eager")
    return made.eval()


def inputs() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(3, SIZE, (3, 9), generator=generator)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.randint(3, SIZE, (3, 6), generator=generator)}


def attach(network: Any, length: int) -> Any:
    prefixes.attach(network, prefixes.Learnt(prefixes.measure(network), length, 16, 0.1))
    return network.eval()


@torch.no_grad()  # type: ignore[untyped-decorator]
def test_a_prefix_of_length_0_is_the_plain_model(network: Any) -> None:
    plain = network(**inputs()).logits
    assert torch.allclose(attach(network, 0)(**inputs()).logits, plain, atol=1e-4)
    assert not torch.allclose(attach(network, 4)(**inputs()).logits, plain, atol=1e-4)


def test_attention_reads_the_prefix_and_then_the_tokens() -> None:
    """Sentence by sentence, head by head and token by token: no mask and no bias of places for the prefix."""
    torch.manual_seed(0)
    sentences, heads, tokens, length, size = 2, 3, 4, 5, 6
    query, key, value = (torch.randn(sentences, heads, tokens, size) for _ in range(3))
    mask, bias = torch.zeros(sentences, 1, tokens, tokens), torch.randn(1, heads, tokens, tokens)
    mask[1, :, :, 2:] = torch.finfo(torch.float32).min
    module = torch.nn.Module()
    module.prefix = torch.randn(2, heads, length, size)
    said, weights = prefixes.attend(module, query, key, value, mask, 0.3, position_bias=bias)
    for s in range(sentences):
        for h in range(heads):
            keys, values = (torch.cat([module.prefix[n, h], part[s, h]]) for n, part in ((0, key), (1, value)))
            for t in range(tokens):
                added = torch.cat([torch.zeros(length), bias[0, h, t] + mask[s, 0, t]])
                shares = (0.3 * keys @ query[s, h, t] + added).softmax(0)
                assert torch.allclose(weights[s, h, t], shares, atol=1e-6)
                assert torch.allclose(said[s, t, h], shares @ values, atol=1e-5)
    assert (weights[1, :, :, length + 2 :] == 0).all()


def test_a_cache_holds_no_prefix(network: Any) -> None:
    attach(network, 4)
    asked = {name: tensor for name, tensor in inputs().items() if name != "labels"}
    said = [network.generate(**asked, max_new_tokens=6, do_sample=False, use_cache=cached) for cached in (True, False)]
    assert torch.equal(*said)
    start = torch.full((3, 1), network.config.decoder_start_token_id)
    cache = network(**asked, decoder_input_ids=start, use_cache=True).past_key_values
    assert cache.get_seq_length() == 1
    assert cache.cross_attention_cache.layers[0].keys.shape[2] == asked["input_ids"].shape[1]


@pytest.mark.parametrize("embeddings", [True, False])
def test_all_but_prefixes_and_embeddings_is_frozen(network: Any, embeddings: bool) -> None:
    attach(network, 4).train()
    prefixes.freeze(network, embeddings=embeddings)
    network(**inputs()).loss.backward()
    learnt = {name: p for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert {name.split(".")[1] for name in learnt if name.startswith("prefixes.")} == set(prefixes.KINDS)
    others = [p for name, p in learnt.items() if not name.startswith("prefixes.")]
    assert [p is network.get_input_embeddings().weight for p in others] == [True] * (not embeddings)


@torch.no_grad()  # type: ignore[untyped-decorator]
def test_what_a_prefix_says_is_left_of_it(network: Any) -> None:
    """Without what is dropped out, whether it was learning or not."""
    before = attach(network, 4)(**inputs()).logits
    network.train()
    fixed = prefixes.fix(network.prefixes)
    assert network.prefixes.training
    prefixes.attach(network, fixed)
    assert torch.equal(network.eval()(**inputs()).logits, before)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (BertConfig(**_BERT), "bert"),
        (LlamaConfig(), "llama"),
        (
            EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(**_BERT), GPT2Config()),
            "encoder-decoder of bert and gpt2",
        ),
    ],
)
def test_a_backbone_of_another_kind_is_named_with_those_that_fit(config: Any, named: str) -> None:
    with pytest.raises(CdnerError, match=f"the backbone 'mine' does not fit: its architecture is {named}$") as told:
        prefixes.check("mine", config)
    assert all(words in (told.value.hint or "") for words in prefixes.FITTING.values())
    assert "-o backbone=minilm2minilm" in (told.value.hint or "")
