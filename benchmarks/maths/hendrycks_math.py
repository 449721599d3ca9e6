"""MATH-500: 500 of MATH's test problems (Hendrycks et al. 2021; the 500 of Lightman et al. 2023)."""

from __future__ import annotations

import re

from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source

TAGS = {"level": "level", "subject": "subject"}


def latex(raw: str) -> str:
    """MATH: no dollar or percent signs, no negative space (`11,\\! 111`), no full stop at the end."""
    text = re.sub(r"\\!\s*", "", raw).replace("\\$", "").replace("\\%", "")
    return text.strip().removesuffix(".").strip()


MATH500 = Source(
    name="math500",
    file="math500",
    rows=500,
    content="8240cf78d6ed1e73",
    licence="MIT",
    hub=Hub("HuggingFaceH4/MATH-500", "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be", "test", 500),
    clean=latex,
    tags=TAGS,
)
BENCHMARKS = MATH500.benchmarks("MATH-500", "500 of MATH's test problems", k=4)
