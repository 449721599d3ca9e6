"""Where every set comes from, pinned.

`content` is the hash of the problems' ids in order, cleaned golds included: what a file must hold. A commit of the hub
pins its own content, and its count is checked; whether the two hold the same text to the last blank was not compared,
so the runs to be compared should read the same copy (`benchmark_hash` in eval.json tells). Commits are those that other
public projects pin; the file of OlympiadBench is Qwen2.5-Math's with 675 problems, of which the hub's copies lack one.

`rule` is each set's tolerance for decimals (`marking.Rule`). Where answers are exact, none: AIME, AMC, GSM8K, MATH.
ROUNDED is for the sets that round or invite rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.marks import MATHS, Rule
from benchmarks.maths import cleaning

ROUNDED = Rule(tolerance=1e-4)
"""Minerva's measured quantities, and OlympiadBench: relative, as `numeric_equal` of Qwen2.5-Math's grader has it, the
usual grader of the two sets. Others differ: copies of the Minerva paper's checker (arXiv 2206.14858) take 1e-5, and 1 %
near zero; OlympiadBench's own judge 1e-8, absolute, or what a column `error` says, which one of its problems in text
has and Qwen's grader has no place for."""

_MAA = "MAA: no open licence"


@dataclass(frozen=True)
class Hub:
    """A data set of the hub at one commit."""

    id: str
    revision: str
    split: str
    rows: int
    question: str = "problem"
    """column"""
    answer: str = "answer"
    """column"""
    extract: Callable[[Any], str] = str
    """the raw answer from what the column holds"""
    config: str | None = None


@dataclass(frozen=True)
class Source:
    """One set of problems."""

    name: str
    file: str
    """in the data folder, without `.jsonl`"""
    rows: int
    """of the file"""
    content: str
    """`problems.hash_of` the file's problems"""
    licence: str
    hub: Hub
    clean: Callable[[str], str]
    """raw answer -> gold; ValueError if it is none"""
    tags: Mapping[str, str] = field(default_factory=dict)
    """tag -> column, where the set has it"""
    rule: Rule = MATHS
    """what counts as equal to a gold"""

    @property
    def origin(self) -> str:
        """The hub's set and commit, short."""
        return f"{self.hub.id}@{self.hub.revision[:7]}"


def _joined(answers: Any) -> str:
    """OlympiadBench's list of answers, one or several."""
    return answers if isinstance(answers, str) else ",".join(answers)


_MATH_TAGS = {"level": "level", "subject": "subject"}

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="math500",
            file="math500",
            rows=500,
            content="8240cf78d6ed1e73",
            licence="MIT",
            hub=Hub("HuggingFaceH4/MATH-500", "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be", "test", 500),
            clean=cleaning.latex,
            tags=_MATH_TAGS,
        ),
        Source(
            name="aime24",
            file="aime24",
            rows=30,
            content="0a116718f532d92f",
            licence=_MAA,
            hub=Hub(
                "math-ai/aime24",
                "83a7f387baaa524a8bda0022eac0541582297103",
                "test",
                30,
                answer="solution",
                extract=cleaning.boxed,
            ),
            clean=cleaning.integer,
        ),
        Source(
            name="aime25",
            file="aime25",
            rows=30,
            content="66d9b94d2a84e0e3",
            licence=_MAA,
            hub=Hub("math-ai/aime25", "563bb8404243c5f09de6ec262f2db674fe5bce9b", "test", 30),
            clean=cleaning.integer,
        ),
        Source(
            name="amc23",
            file="amc23",
            rows=40,
            content="58f0e9f997c72a40",
            licence=_MAA,
            hub=Hub("math-ai/amc23", "80815d37005feb82cd7f8fbc6901d5d3eff43057", "test", 40, question="question"),
            clean=cleaning.integer,
        ),
        Source(
            name="amc12",
            file="amc12_2022_2023",
            rows=83,
            content="9f89ed9a5d37c7e8",
            licence=_MAA,
            hub=Hub("AI-MO/aimo-validation-amc", "69d78a4a2c840e82d69af6bc742bda09005f6316", "train", 83),
            clean=cleaning.integer,
        ),
        Source(
            name="minerva_math",
            file="minerva_math",
            rows=272,
            content="d75b2b52f8147326",
            licence="MIT OCW: CC BY-NC-SA",
            hub=Hub(
                "math-ai/minervamath",
                "ee46ddc498933b1977577953250ca5c66be64f96",
                "test",
                272,
                question="question",
            ),
            clean=cleaning.minerva,
            tags={"subject": "subject"},
            rule=ROUNDED,
        ),
        Source(
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
                extract=_joined,
            ),
            clean=cleaning.olympiad,
            tags={"subject": "subject", "type": "answer_type"},
            rule=ROUNDED,
        ),
        Source(
            name="gsm8k",
            file="gsm8k_test",
            rows=1319,
            content="6b0514d922efbb21",
            licence="MIT",
            hub=Hub(
                "openai/gsm8k",
                "740312add88f781978c0658806c59bc2815b9866",
                "test",
                1319,
                question="question",
                extract=cleaning.after_hashes,
                config="main",
            ),
            clean=cleaning.integer,
        ),
        Source(
            name="math_train",
            file="math_train",
            rows=7500,
            content="e4c6632b38ff6d9f",
            licence="MIT",
            hub=Hub(
                "DigitalLearningGmbH/MATH-lighteval",
                "0530c78699ea5e8eb5530600900e1f328b48acad",
                "train",
                7500,
                answer="solution",
                extract=cleaning.boxed,
            ),
            clean=cleaning.latex,
            tags=_MATH_TAGS,
        ),
        Source(
            name="dapo_math_17k",
            file="dapo_math_17k",
            rows=17917,
            content="2be88f816d336ae7",
            licence="Apache-2.0",
            hub=Hub(
                "open-r1/DAPO-Math-17k-Processed",
                "31dd309567e3da778038cc87d868b6097a3ccf68",
                "train",
                17398,
                question="prompt",
                answer="solution",
                config="all",
            ),
            clean=cleaning.integer,
        ),
    )
}
