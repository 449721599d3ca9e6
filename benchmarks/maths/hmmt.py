"""HMMT: the Harvard-MIT Mathematics Tournament of February, its individual rounds; in 2026 with three problems of the
team round. Answers are any expression: half of them integers, others roots, powers too large for a float, an angle.

k: nobody's is usual. MathArena asks four times (matharena.ai); papers that train ask as often as AIME, and so do we.
"""

from __future__ import annotations

from benchmarks.files.cleaning import unwrapped
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source
from benchmarks.maths.aime import MATHARENA

HMMT_FEB25 = Source(
    name="hmmt_feb25",
    file="hmmt_feb25",
    rows=30,
    content="d442e750bfc87945",
    licence=MATHARENA,
    # the commit that OpenCompass and SiEval pin
    hub=Hub("MathArena/hmmt_feb_2025", "6fdc4277120810ff75aa22d2d5489b91f7a262a1", "train", 30),
    clean=unwrapped,
)
HMMT_FEB26 = Source(
    name="hmmt_feb26",
    file="hmmt_feb26",
    rows=33,
    content="c493a74163723ed4",
    licence=MATHARENA,
    # the commit that SiEval pins
    hub=Hub("MathArena/hmmt_feb_2026", "02fba4f74d8e68e73e66a02d540fd979c05c274c", "train", 33),
    clean=unwrapped,
)
BENCHMARKS = (
    *HMMT_FEB25.benchmarks("HMMT Feb 2025", "Harvard-MIT tournament, February 2025", k=32),
    *HMMT_FEB26.benchmarks("HMMT Feb 2026", "Harvard-MIT tournament, February 2026", k=32),
)
