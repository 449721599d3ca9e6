"""AIME: the American Invitational Mathematics Examination, both papers of a year. Answers are integers of 0 to 999."""

from __future__ import annotations

from benchmarks.files.cleaning import boxed, integer
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source

MAA = "MAA: no open licence"
MATHARENA = "CC BY-NC-SA 4.0 (MathArena's copy)"
"""as the cards of MathArena's sets on the hub say; the problems are their competitions'"""

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
AIME26 = Source(
    name="aime26",
    file="aime26",
    rows=30,
    content="43c7850a461b37c6",
    licence=MATHARENA,
    # the commit that OpenBench and SiEval pin
    hub=Hub("MathArena/aime_2026", "d2de22f3c656b4f56cf8981212186377d1e23bc3", "train", 30),
    clean=integer,
)
BENCHMARKS = (
    *AIME24.benchmarks("AIME 2024", "both papers of 2024", k=32),
    *AIME25.benchmarks("AIME 2025", "both papers of 2025", k=32),
    *AIME26.benchmarks("AIME 2026", "both papers of 2026", k=32),
)
