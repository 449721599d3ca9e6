"""AMC: the American Mathematics Competitions, AMC 12, without the choices. The 2023 half of `amc12` is `amc23`: the two
share problems, and no average takes both."""

from __future__ import annotations

from benchmarks.files.cleaning import integer
from benchmarks.files.hub import Hub
from benchmarks.loading.source import Source
from benchmarks.maths.aime import MAA

AMC23 = Source(
    name="amc23",
    file="amc23",
    rows=40,
    content="58f0e9f997c72a40",
    licence=MAA,
    hub=Hub("math-ai/amc23", "80815d37005feb82cd7f8fbc6901d5d3eff43057", "test", 40, question="question"),
    clean=integer,
)
AMC12 = Source(
    name="amc12",
    file="amc12_2022_2023",
    rows=83,
    content="9f89ed9a5d37c7e8",
    licence=MAA,
    hub=Hub("AI-MO/aimo-validation-amc", "69d78a4a2c840e82d69af6bc742bda09005f6316", "train", 83),
    clean=integer,
)
BENCHMARKS = (
    *AMC23.benchmarks("AMC 2023", "AMC 12 of 2023, without choices", k=32),
    *AMC12.benchmarks("AMC 12", "AMC 12 of 2022 and 2023, amc23 with it", k=32),
)
