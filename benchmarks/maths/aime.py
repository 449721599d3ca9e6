"""AIME: the American Invitational Mathematics Examination, both papers of a year. Answers are integers of 0 to 999."""

from __future__ import annotations

from benchmarks.files.cleaning import boxed, integer
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source

MAA = "MAA: no open licence"

AIME24 = Source(
    name="aime24",
    file="aime24",
    rows=30,
    content="0a116718f532d92f",
    licence=MAA,
    hub=Hub(
        "math-ai/aime24",
        "83a7f387baaa524a8bda0022eac0541582297103",
        "test",
        30,
        answer="solution",
        extract=boxed,
    ),
    clean=integer,
)
AIME25 = Source(
    name="aime25",
    file="aime25",
    rows=30,
    content="66d9b94d2a84e0e3",
    licence=MAA,
    hub=Hub("math-ai/aime25", "563bb8404243c5f09de6ec262f2db674fe5bce9b", "test", 30),
    clean=integer,
)
BENCHMARKS = (
    AIME24.benchmark("AIME 2024", "both papers of 2024", k=32),
    AIME25.benchmark("AIME 2025", "both papers of 2025", k=32),
)
