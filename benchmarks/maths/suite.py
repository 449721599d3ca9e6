"""The benchmarks and training sets, by name. Counts are those of the pinned files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from benchmarks.maths.errata import MINERVA, corrected
from benchmarks.maths.loading import load
from benchmarks.maths.selection import CONFLICTING, DUPLICATE, LONG, UNMARKABLE, select
from benchmarks.maths.sources import SOURCES
from benchmarks.problems import Benchmark, Selection, TrainingSet


def _benchmark(name: str, title: str, description: str, errata: Mapping[str, str] | None = None) -> Benchmark:
    """
    Args:
        errata: corrections of the source `name`, for a benchmark `<name>_errata`.
    """
    source = SOURCES[name]
    tolerance = source.rule.tolerance
    return Benchmark(
        f"{name}_errata" if errata else name,
        title,
        f"{description}; decimals within {tolerance:.2%}" if tolerance else description,
        source.rows,
        (lambda: corrected(load(source), errata)) if errata else (lambda: load(source)),
        () if source.hub.rows == source.rows else (source.hub.rows,),
        source.licence,
        source.origin,
    )


BENCHMARKS = (
    _benchmark("math500", "MATH-500", "500 of MATH's test problems"),
    _benchmark("aime24", "AIME 2024", "both papers of 2024"),
    _benchmark("aime25", "AIME 2025", "both papers of 2025"),
    _benchmark("amc23", "AMC 2023", "AMC 12 of 2023, without choices"),
    _benchmark("minerva_math", "Minerva Math", "science of MIT OpenCourseWare"),
    _benchmark("minerva_math", "Minerva Math (errata)", "likewise, four wrong golds corrected", MINERVA),
    _benchmark("olympiadbench", "OlympiadBench", "English competition problems in text"),
    _benchmark("amc12", "AMC 12", "AMC 12 of 2022 and 2023, amc23 with it"),
    _benchmark("gsm8k", "GSM8K", "grade-school word problems"),
)
HELD_OUT = ("math500", "aime24", "aime25", "amc23", "minerva_math", "olympiadbench", "amc12")
"""what no training problem may be of; amc23's problems are counted as its own, the rest of amc12 as amc12's"""


def _training_set(
    name: str, description: str, parts: Sequence[str], count: int, removed: dict[str, int]
) -> TrainingSet:
    def selection() -> Selection:
        held_out = {benchmark: load(SOURCES[benchmark]) for benchmark in HELD_OUT}
        return select(chain.from_iterable(load(SOURCES[part]) for part in parts), held_out)

    licence = ", ".join(dict.fromkeys(SOURCES[part].licence for part in parts))
    origin = ", ".join(SOURCES[part].origin for part in parts)
    return TrainingSet(name, description, selection, count, removed, licence, origin)


TRAINING_SETS = (
    _training_set(
        "math_train",
        "MATH's, no copies, nothing of a benchmark",
        ["math_train"],
        7454,
        {
            UNMARKABLE: 2,
            LONG: 2,
            CONFLICTING: 2,
            DUPLICATE: 4,
            "near math500": 33,
            "in olympiadbench": 2,
            "near olympiadbench": 1,
        },
    ),
    _training_set(
        "dapo_math_17k",
        "DAPO's, no copies, nothing of a benchmark",
        ["dapo_math_17k"],
        16160,
        {
            LONG: 1,
            CONFLICTING: 57,
            DUPLICATE: 1559,
            "in math500": 6,
            "near math500": 14,
            "in amc23": 8,
            "near amc23": 21,
            "in olympiadbench": 9,
            "near olympiadbench": 49,
            "in amc12": 6,
            "near amc12": 27,
        },
    ),
    _training_set(
        "dapo_math",
        "DAPO's and MATH's, likewise",
        ["dapo_math_17k", "math_train"],
        21878,
        {
            UNMARKABLE: 2,
            LONG: 3,
            CONFLICTING: 73,
            DUPLICATE: 3288,
            "in math500": 6,
            "near math500": 45,
            "in amc23": 8,
            "near amc23": 21,
            "in olympiadbench": 10,
            "near olympiadbench": 50,
            "in amc12": 6,
            "near amc12": 27,
        },
    ),
)
