"""The sampler as an engine, and the two registries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from harness.backends.local.backend import LocalBackend
from harness.backends.registry import get_backend
from harness.base.errors import UserError
from harness.engines.base import Request, Sampling
from harness.engines.local import LocalEngine
from harness.engines.registry import open_engine

REQUESTS = [Request((2, 5, 3), (0, 1, 2, 3, 4, 5)), Request((2, 4, 9, 3), (6,))]


def test_completions_come_in_the_order_of_requests_and_seeds(folder: Path) -> None:
    engine = open_engine("local", folder)
    together = engine.generate(REQUESTS, Sampling(12))
    assert [len(completions) for completions in together] == [6, 1]
    for request, completions in zip(REQUESTS, together, strict=True):
        for seed, completion in zip(request.seeds, completions, strict=True):
            assert engine.generate([Request(request.prompt, (seed,))], Sampling(12)) == [[completion]]


def test_a_completion_is_text_without_the_end_and_counts_it(folder: Path) -> None:
    engine = LocalEngine.open(folder)
    completions = engine.generate([Request((2, 5, 3), tuple(range(20)))], Sampling(12))[0]
    assert {completion.finish_reason for completion in completions} == {"stop", "length"}
    for completion in completions:
        words = engine.model.tokenizer.encode(completion.text)
        assert "<eos>" not in completion.text
        if completion.finish_reason == "length":
            assert completion.tokens == 12
        assert len(words) <= completion.tokens - (completion.finish_reason == "stop")


def test_the_version_names_what_the_bits_depend_on() -> None:
    assert LocalEngine.name == "local"
    assert torch.__version__ in LocalEngine.version


def test_names_that_are_not_there_are_errors_that_say_what_is(folder: Path) -> None:
    assert isinstance(get_backend("local"), LocalBackend)
    with pytest.raises(UserError, match=r"backend `locla` is unknown\. Did you mean `local`\?"):
        get_backend("locla")
    with pytest.raises(UserError, match=r"engine `vlm` is unknown\. Did you mean `vllm`\?"):
        open_engine("vlm", folder)
    with pytest.raises(UserError, match=r"engine `sglang` is unknown\. Allowed: hf, local, vllm\."):
        open_engine("sglang", folder)


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from harness.base.registry import BACKENDS; from harness.engines.registry import ENGINES;"
        "assert ENGINES.descriptions() and all(BACKENDS.get(name) for name in BACKENDS.names());"
        "sys.exit(bool({'torch', 'ray', 'verl'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
