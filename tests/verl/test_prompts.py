"""The prompt ids that we send are those that verl's own agent loop would have made."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer
from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

from benchmarks import registry
from harness.models.resolving import resolve
from harness.prompts.templates import TEMPLATES, render, template


@pytest.mark.parametrize("name", [name for name, known in TEMPLATES.items() if not known.markers])
def test_rendered_ids_equal_those_of_verls_agent_loop(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(resolve("quickstart-base"))
    arguments = template(name).arguments(tokenizer)
    assert arguments.pop("add_generation_prompt")  # verl's builder adds it by itself
    builder = create_continuous_token_builder(tokenizer, chat_template_kwargs=arguments)
    for benchmark in ("mini_sums", "mini_stories"):
        for problem in registry.benchmark(benchmark).problems[:20]:
            verls = builder.build_initial_tokens(template(name).messages(problem))
            assert list(render(tokenizer, problem, name)) == verls
