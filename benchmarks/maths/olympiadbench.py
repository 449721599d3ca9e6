"""OlympiadBench (He et al. 2024): its English competition problems in text alone.

The file is Qwen2.5-Math's with 675 problems, of which the hub's copies lack one.
"""

from __future__ import annotations

from typing import Any

from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source
from benchmarks.maths.minerva import ROUNDED


def olympiad(raw: str) -> str:
    """Each answer of a list is wrapped in dollars, some end in a full stop or a percent sign."""
    text = raw.replace("$", "").replace("\\%", "").replace("%", "")
    return text.strip().removesuffix(".").strip()


def joined(answers: Any) -> str:
    """A list of answers, one or several, as one."""
    return answers if isinstance(answers, str) else ",".join(answers)


OLYMPIADBENCH = Source(
    name="olympiadbench",
    file="olympiadbench",
    rows=675,
    content="54a7cce5290ae695",
    licence="MIT",
    hub=Hub(
        "math-ai/olympiadbench",
        "4faaf1e6ec17d11a4218a9bf4c049ecaf954dd84",
        "test",
        674,
        question="question",
        answer="final_answer",
        extract=joined,
    ),
    clean=olympiad,
    tags={"subject": "subject", "type": "answer_type"},
    rule=ROUNDED,
)
BENCHMARKS = OLYMPIADBENCH.benchmarks("OlympiadBench", "English competition problems in text", k=4)
