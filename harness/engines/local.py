"""The embedded sampler as an engine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import torch

from harness.base import lean_transformers  # noqa: F401  which must come before the rest of transformers
from harness.engines.base import Completion, Request, Sampling, answering, positions, require_finite
from harness.engines.sampler import sample
from harness.models.compute import Attention, Compute, Device, Precision
from harness.models.language_model import LanguageModel, load


class LocalEngine:
    """Any Hugging Face causal LM in this process. One call is one chunk: on the CPU equal calls give equal bits."""

    name, repeatable = "local", True
    version = f"1 (torch {torch.__version__}, transformers {metadata.version('transformers')})"
    """and, unless that is fp32 on the CPU, what it computes in and on"""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.positions = positions(model.net.config)
        self.repeatable = model.device.type == "cpu"
        if not model.compute.plain:
            self.version = f"{self.version.removesuffix(')')}, {model.compute.said})"

    @classmethod
    def open(
        cls, folder: Path, device: Device = "auto", dtype: Precision = "auto", attention: Attention = "sdpa"
    ) -> LocalEngine:
        """With the weights of a folder in Hugging Face layout.

        Args:
            device, dtype, attention: as the section `local` of an experiment has them.
        """
        return cls(load(folder, Compute.of(device, dtype, attention)))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        """See the protocol.

        Raises: UserError if a prompt and its response would not fit the model's context; NotFinite; EngineFailed.
        """
        with answering(self.name):
            samples = sample(self.model.net, requests, sampling, self.model.stop)
        require_finite(self.name, samples.logp_BT.sum(1).tolist())
        texts = self.model.decode(samples.tokens_BT, samples.length_B)
        completions = (
            Completion(text, int(length), "stop" if stopped else "length")
            for text, length, stopped in zip(texts, samples.length_B, samples.stopped_B, strict=True)
        )
        return [[next(completions) for _ in request.seeds] for request in requests]
