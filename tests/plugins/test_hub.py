"""Backbones out of folders that lack something, or hold what does not go together, are refused in a line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from transformers import AutoConfig, AutoModel

from cdner_bench import CdnerError
from cdner_torch import backbones, hub
from cdner_torch.tagging import model


def copy(place: str, folder: Path) -> str:
    return str(shutil.copytree(place, folder / "copied"))


def rewrite(folder: str, **values: object) -> None:
    file = Path(folder, "config.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_t5", "tiny_bart"])
def test_a_backbone_without_a_tokenizer_is_refused(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Transformers makes up a tokenizer that knows no word."""
    folder = copy(request.getfixturevalue(kind), tmp_path)
    for file in Path(folder).glob("*token*"):
        file.unlink()
    load: Callable[[str], object] = model.load_tokenizer if kind == "tiny_bert" else backbones.read_frame
    with pytest.raises(CdnerError, match="has no tokenizer") as refused:
        load(folder)
    assert "tokenizer.json" in (refused.value.hint or "")


def test_a_tokenizer_that_this_version_cannot_read(tiny_bert: str, tmp_path: Path) -> None:
    folder = copy(tiny_bert, tmp_path)
    file = Path(folder, "tokenizer.json")
    file.write_text(file.read_text().replace('"WordPiece"', '"OfTomorrow"'))
    with pytest.raises(CdnerError, match=r"in the folder .*copied.* cannot be loaded: data did not match") as refused:
        model.load_tokenizer(folder)
    assert "hf download" not in (refused.value.hint or "")


def test_weights_of_another_size_than_the_configuration_says(tiny_bert: str, tmp_path: Path) -> None:
    folder = copy(tiny_bert, tmp_path)
    rewrite(folder, hidden_size=64)
    with pytest.raises(CdnerError, match="do not fit its configuration"):
        hub.load_model(AutoModel, folder)


def test_a_configuration_with_a_word_for_a_number(tiny_bert: str, tmp_path: Path) -> None:
    folder = copy(tiny_bert, tmp_path)
    rewrite(folder, hidden_size="many")
    with pytest.raises(CdnerError, match=r"'hidden_size'.* expected int"):
        hub.load(AutoConfig.from_pretrained, folder)


@pytest.mark.parametrize("error", [OSError(), ValueError("\n\n")])
def test_a_reason_of_no_words_is_none(error: Exception) -> None:
    def refuse(name: str) -> object:
        raise error

    with pytest.raises(CdnerError, match=type(error).__name__):
        hub.load(refuse, "somewhere")
