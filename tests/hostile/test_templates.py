"""Chat templates of models: programs that somebody else wrote, with a deadline."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.problems import Problem
from harness.base.errors import UserError
from harness.models.reading import read_tokenizer
from harness.models.resolving import SHIPPED
from harness.prompts import templates, trial_rendering

LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
TURNS = [{"role": "user", "content": "How much is 6+4?"}]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (LOOPS, "does not end: 1 s were not enough for one problem"),
        ("{% generation %}" + LOOPS + "{% endgeneration %}", "does not end"),
        ("{{ 9 ** (9 ** 9) }}", "does not end"),
        (
            "{% for i in range(99999) %}" + "a" * 200 + "{% endfor %}",
            "writes more than 10,000,000 characters for one problem",
        ),
        ("{{ 'a' * 10**11 }}", "needs more than 2 GiB of memory for one problem"),
    ],
)
def test_what_does_not_end(source: str, said: str) -> None:
    assert (trial_rendering.mistake(source, TURNS, {}) or "").startswith(said)


@pytest.mark.parametrize(
    "source", ["{{ messages[0].content }}", "{% for", "{{ raise_exception('no') }}", "{{ a.b.c }}"]
)
def test_what_ends_be_it_with_an_error(source: str) -> None:
    assert trial_rendering.mistake(source, TURNS, {"bos_token": "<s>"}) is None


def test_a_models_template_is_tried_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in SHIPPED["quickstart-base"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "chat_template.jinja").write_text(LOOPS)
    with pytest.raises(UserError, match=r"the chat template of .* does not end.*\nMend `chat_template`"):
        templates.render(read_tokenizer(tmp_path), Problem("1+1?", "2"), "bare")
    tried: list[str] = []
    monkeypatch.setattr(trial_rendering, "mistake", lambda source, *_: tried.append(source))
    templates._tried.cache_clear()
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }} =")
    tokenizer = read_tokenizer(tmp_path)
    for question in ("1+1?", "1+2?", "1+3?"):
        templates.render(tokenizer, Problem(question, "2"), "bare")
        templates.render(tokenizer, Problem(question, "2"), "plain")  # its template is ours
    assert tried == ["{{ messages[0].content }} ="], "once, for all problems"
    templates.render(read_tokenizer(SHIPPED["quickstart-base"]), Problem("1+1?", "2"), "bare")
    assert len(tried) == 1, "what is shipped ends"
