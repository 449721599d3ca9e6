"""The settings of the base model's pretraining."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pretraining:
    """The recipe. Fixed steps, never a stopping rule."""

    steps: int = 1500
    examples_per_step: int = 128
    worked: float = 0.35
    direct: float = 0.35
    slipped: float = 0.3
    learning_rate: float = 3e-3
    warmup_steps: int = 30
    constant_until: float = 0.25
    """share of the steps after which the learning rate falls in a straight line to a tenth"""
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    bucket_steps: int = 8
    """steps whose examples are sorted by length together, against padding"""
    hidden: int = 64
    layers: int = 2
    heads: int = 2
    context: int = 512
    seed: int = 0
