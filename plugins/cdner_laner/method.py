"""`laner`: the transfer of the taggers, by an encoder that reads the labels which it gave to the words before."""

from __future__ import annotations

from functools import partial

from cdner_torch.tagging.model import Make
from cdner_torch.tagging.transfer import Transfer

from .model import LabelAware
from .options import LanerOptions


class Laner(Transfer):
    """Label-aware NER (Hu et al. 2022)."""

    Options = LanerOptions
    options: LanerOptions

    @property
    def make(self) -> Make:
        """Makes the tagger that is trained."""
        return partial(LabelAware, options=self.options.network)
