"""OlymMATH (Sun et al. 2025, arXiv:2503.21380): problems of olympiads from printed books, in English, the easy half of
the difficulty of AIME, the hard one above. Answers are numbers or intervals, exact.

k: the set's own README asks ten times in its example, and what its authors released has 64 answers a problem of most
models and 8 of the dearest (582,400 of 28 models to 400 problems: 22 x 64 + 6 x 8). Ours is 8.
"""

from __future__ import annotations

import re

from benchmarks.files.cleaning import unwrapped
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source

_BARE_EXPONENT = re.compile(r"\^([0-9]{2,})")
"""TeX reads 2^2023 as 2^2 023"""
_HUB, _REVISION = "RUC-AIBOX/OlymMATH", "2c6532ea2cf929ac1c421532af5951553eaee727"
"""the commit that LocalBench pins"""


def olymmath(raw: str) -> str:
    """One gold has an exponent of several digits without braces."""
    return _BARE_EXPONENT.sub(r"^{\1}", unwrapped(raw))


def _half(name: str, config: str, content: str) -> Source:
    return Source(
        name=name,
        file=name,
        rows=100,
        content=content,
        licence="MIT",
        hub=Hub(_HUB, _REVISION, "test", 100, config=config),
        clean=olymmath,
        tags={"subject": "subject"},
    )


EASY = _half("olymmath_en_easy", "en-easy", "2342ae29c560048a")
HARD = _half("olymmath_en_hard", "en-hard", "04df93282de4988a")
BENCHMARKS = (
    *EASY.benchmarks("OlymMATH easy", "problems of olympiads in English, as hard as AIME", k=8),
    *HARD.benchmarks("OlymMATH hard", "problems of olympiads in English, harder than AIME", k=8),
)
