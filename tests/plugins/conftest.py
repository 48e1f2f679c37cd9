"""Models of a few thousand random parameters: the real code path, in seconds and without a download."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench import Corpus
from cdner_bench.data import Benchmark
from support import ROOT


@pytest.fixture
def domains(mini: Benchmark) -> tuple[list[Corpus], Corpus]:
    """Two sources and a target, each cut to what is learnt in a moment."""

    def cut(corpus: Corpus) -> Corpus:
        return replace(corpus.without_test(), train=corpus.train[:12], dev=corpus.dev[:6])

    return [cut(mini.corpus(n)) for n in ("news", "music")], cut(mini.corpus("ai"))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    folder: Path = tmp_path_factory.mktemp("tiny-bert")
    letters = [chr(c) for c in range(33, 127)]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *letters, *(f"##{c}" for c in letters), "the", "of", "##ing", "neural", "network"]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), specials, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, pad_token_id=0,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def small_tokenizer() -> object:
    """The shipped T5's tokenizer."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(ROOT / "benchmarks" / "backbones" / "minit5")


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: object) -> str:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(small_tokenizer), d_model=32, d_kv=16, d_ff=64, num_layers=1, num_decoder_layers=1,  # type: ignore[arg-type]
        num_heads=2, decoder_start_token_id=0,
    )  # fmt: skip
    return _saved(T5ForConditionalGeneration(config), small_tokenizer, tmp_path_factory.mktemp("tiny-t5"))


@pytest.fixture(scope="session")
def tiny_bart(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: object) -> str:
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=len(small_tokenizer), d_model=32, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=64,  # type: ignore[arg-type]
        decoder_ffn_dim=64, encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=600,
        pad_token_id=0, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None,
    )  # fmt: skip
    return _saved(BartForConditionalGeneration(config), small_tokenizer, tmp_path_factory.mktemp("tiny-bart"))


def _saved(model: object, tokenizer: object, folder: Path) -> str:
    model.save_pretrained(folder)  # type: ignore[attr-defined]
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    return str(folder)


@pytest.fixture(scope="session")
def tiny_gliner2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_gliner2(tmp_path_factory.mktemp("tiny-gliner2"), "span")


@pytest.fixture(scope="session")
def tiny_boundary(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_gliner2(tmp_path_factory.mktemp("tiny-boundary"), "boundary")


def make_gliner2(folder: Path, architecture: str, **chosen: object) -> str:
    """A GLiNER2 of random weights, saved by the package, that knows letters and the words of the sample's types."""
    torch = pytest.importorskip("torch")
    gliner2 = pytest.importorskip("gliner2")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, PreTrainedTokenizerFast

    from cdner_bench.data import benchmark
    from cdner_gliner2.names import put_into_words

    kinds = {kind for name in ("news", "ai", "science") for kind in benchmark.load("mini").corpus(name).types}
    words = {word for kind in kinds for word in put_into_words(kind).split()}
    letters = [chr(c) for c in range(33, 127)]
    specials = ["[PAD]", "[UNK]"]
    pieces = [*specials, *letters, *(f"##{c}" for c in letters), *sorted(words - set(letters)), "entities"]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    torch.manual_seed(0)
    encoder = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=256, pad_token_id=0,
    )  # fmt: skip
    head = {"boundary_head": {"boundary_dim": 16, "pair_dim": 16}} if architecture == "boundary" else {}
    config = gliner2.ExtractorConfig(model_name="tiny", architecture=architecture, **{**head, **chosen})
    gliner2.AutoExtractor.from_config(config, encoder_config=encoder, tokenizer=fast).save_pretrained(str(folder))
    return str(folder)
