from __future__ import annotations

from pathlib import Path

import pytest

numpy = pytest.importorskip("numpy")
safetensors = pytest.importorskip("safetensors.numpy")

from cdner_bench.io import derived  # noqa: E402


def test_what_was_learnt_is_put_upon_the_base(tmp_path: Path) -> None:
    """Embeddings serve encoder and decoder, those of words once; a shipped matrix takes the place of the base's."""
    shipped, base = tmp_path / "shipped", tmp_path / "base"
    for folder in (shipped, base):
        folder.mkdir()
    ones = numpy.ones((2, 3), numpy.float32)
    encoder = {
        "embeddings.word_embeddings.weight": ones,
        "embeddings.position_embeddings.weight": 2 * ones,
        "embeddings.position_ids": numpy.zeros((1, 3), numpy.int64),
        "encoder.layer.0.dense.weight": 3 * ones,
        "encoder.layer.1.dense.weight": 4 * ones,
        "pooler.dense.weight": ones,
    }
    safetensors.save_file(encoder, base / derived.WEIGHTS)
    eight = numpy.array([[127, 0, -127], [1, 2, 3]], numpy.int8)
    learnt = {
        "encoder.encoder.layer.1.dense.weight": eight,
        "encoder.encoder.layer.1.dense.weight.scale": numpy.array([0.01, 2.0], numpy.float32),
        "decoder.bert.encoder.layer.0.dense.bias": numpy.array([0.5], numpy.float16),
    }
    safetensors.save_file(learnt, shipped / derived.WEIGHTS)
    (shipped / "config.json").write_text("{}")

    derived.build(shipped, base, tmp_path / "whole")

    whole = safetensors.load_file(tmp_path / "whole" / derived.WEIGHTS)
    assert sorted(whole) == [
        "decoder.bert.embeddings.position_embeddings.weight",
        "decoder.bert.encoder.layer.0.dense.bias",
        "encoder.embeddings.position_embeddings.weight",
        "encoder.embeddings.word_embeddings.weight",
        "encoder.encoder.layer.0.dense.weight",
        "encoder.encoder.layer.1.dense.weight",
    ]
    numpy.testing.assert_allclose(
        whole["encoder.encoder.layer.1.dense.weight"], [[1.27, 0, -1.27], [2, 4, 6]], rtol=1e-3
    )
    assert {tensor.dtype for tensor in whole.values()} == {numpy.dtype("float16")}
    assert (tmp_path / "whole" / "config.json").exists()
