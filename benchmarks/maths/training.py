"""The sets that are trained on, made from their sources: no copies, nothing of a benchmark. Counts are those of the
pinned files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from benchmarks.files.cleaning import boxed, integer
from benchmarks.files.hub import Hub
from benchmarks.loading.errata import corrected, errata
from benchmarks.loading.selection import CONFLICTING, DUPLICATE, LONG, UNMARKABLE, select
from benchmarks.loading.source import Source, load
from benchmarks.maths import gsm8k, olymmath
from benchmarks.maths.aime import AIME24, AIME25, AIME26
from benchmarks.maths.amc import AMC12, AMC23
from benchmarks.maths.hendrycks_math import MATH500, TAGS, latex
from benchmarks.maths.hmmt import HMMT_FEB25, HMMT_FEB26
from benchmarks.maths.minerva import MINERVA
from benchmarks.maths.olympiadbench import OLYMPIADBENCH
from benchmarks.problems import Problem, Selection, TrainingSet

MATH_TRAIN = Source(
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
        extract=boxed,
    ),
    clean=latex,
    tags=TAGS,
)
DAPO_MATH_17K = Source(
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
    clean=integer,
)
GSM8K_TRAIN = Source(
    name="gsm8k_train",
    file="gsm8k_train",
    rows=7473,
    content="bd58846c10610b94",
    licence=gsm8k.GSM8K.licence,
    hub=gsm8k.hub("train", 7473),
    clean=gsm8k.GSM8K.clean,
)
SOURCES = (MATH_TRAIN, DAPO_MATH_17K, GSM8K_TRAIN)
HELD_OUT = (
    *(MATH500, AIME24, AIME25, AMC23, MINERVA, OLYMPIADBENCH, AMC12),
    *(AIME26, HMMT_FEB25, HMMT_FEB26, olymmath.EASY, olymmath.HARD),
)
"""what no training problem may be of; amc23's problems are counted as its own, the rest of amc12 as amc12's. GSM8K's
test is of `gsm8k_train` alone: nothing of it is in DAPO's or MATH's files, which need not ask for it"""


def _training_set(
    name: str,
    description: str,
    parts: Sequence[Source],
    count: int,
    removed: Mapping[str, int],
    put_right: bool = False,
    held_out: Sequence[Source] = HELD_OUT,
) -> TrainingSet:
    def problems(part: Source) -> tuple[Problem, ...]:
        return corrected(load(part), errata(part.name)) if put_right else load(part)

    def selection() -> Selection:
        apart = {source.name: load(source) for source in held_out}
        return select(chain.from_iterable(problems(part) for part in parts), apart)

    licence = ", ".join(dict.fromkeys(part.licence for part in parts))
    origin = ", ".join(part.origin for part in parts)
    return TrainingSet(name, description, selection, count, removed, licence, origin)


TRAINING_SETS = (
    _training_set(
        "math_train",
        "MATH's, no copies, nothing of a benchmark",
        [MATH_TRAIN],
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
        [DAPO_MATH_17K],
        16139,
        {
            LONG: 1,
            CONFLICTING: 77,
            DUPLICATE: 1559,
            "in math500": 6,
            "near math500": 14,
            "in amc23": 8,
            "near amc23": 21,
            "in olympiadbench": 9,
            "near olympiadbench": 49,
            "in amc12": 6,
            "near amc12": 27,
            "in aime26": 1,
        },
    ),
    _training_set(
        "dapo_math_17k_errata",
        "likewise, golds put right where two copies disagree",
        [DAPO_MATH_17K],
        16159,
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
            "in aime26": 1,
        },
        put_right=True,
    ),
    _training_set(
        "gsm8k_train",
        "GSM8K's, no copies, nothing of a benchmark",
        [GSM8K_TRAIN],
        7471,
        {"near gsm8k": 2},
        held_out=(gsm8k.GSM8K, *HELD_OUT),
    ),
    _training_set(
        "dapo_math",
        "DAPO's and MATH's, likewise",
        [DAPO_MATH_17K, MATH_TRAIN],
        21860,
        {
            UNMARKABLE: 2,
            LONG: 3,
            CONFLICTING: 87,
            DUPLICATE: 3291,
            "in math500": 6,
            "near math500": 45,
            "in amc23": 8,
            "near amc23": 21,
            "in olympiadbench": 10,
            "near olympiadbench": 50,
            "in amc12": 6,
            "near amc12": 27,
            "in aime26": 1,
        },
    ),
)
