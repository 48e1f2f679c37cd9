"""`bert-tagger`, `bert-gtok` and `daptn`: the tagger that all of `Transfer` begins with, one linear layer."""

from __future__ import annotations

from cdner_torch.tagging.transfer import Transfer

from .options import DaptnOptions, TaggerOptions


class BertTagger(Transfer):
    """Token classification with first-sub-word labels (CrossNER's BertTagger; TOPT's Table 9 with GTOK)."""

    Options = TaggerOptions


class Daptn(Transfer):
    """The same after domain-adaptive pre-training, masked-LM on unlabelled text of the target (CrossNER's best)."""

    Options = DaptnOptions
