"""Pure functions of result files: scores, statistics, tables, figures, HTML. Imports `harness.records` and nothing
else of ours. Same files, same bytes.

    load -> scores (seeds x problems) -> analysis (statistics) -> document (sections) -> render (formats)

`build` writes a report folder, `summary` is what a terminal shows, `load` gives all of it as DataFrames
(`reports/frames/`), `compare` sets two arms against each other, `evaluated_model` is one model's scores, `gate_run`
holds a run against a baseline file (`reports/gate/`), `diff_picture` draws a frozen-batch diff. All raise
`records.DataError` where files are missing or broken. To add
a section: `reports/sections/__init__.py`.
Importing this package is cheap; numpy, pandas and matplotlib are loaded when a function is called.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.records.scores_alone import scores_only
from reports.data.matching import Unmatched
from reports.gate.undecided import NotDecided
from reports.render import FORMATS

__all__ = [
    "FORMATS",
    "NotDecided",
    "Unmatched",
    "build",
    "compare",
    "diff_picture",
    "evaluated_model",
    "evaluation_text",
    "gate_by_looks",
    "gate_looks",
    "gate_run",
    "load",
    "reproduction",
    "same_model",
    "summary",
    "update_baseline",
    "without_cost",
]

if TYPE_CHECKING:
    from harness.records import EvalRecord, Published
    from reports.evaluation.result import EvaluatedModel
    from reports.frames.compared import PairResults
    from reports.frames.loaded import Results
    from reports.gate.running import Problems
    from reports.gate.updating import BaselineUpdate
    from reports.gate.verdict import Gate, Policy
    from reports.questions.reproduce import Reproduction
    from reports.questions.same import SameModel
    from reports.sections.registry import Others
    from reports.seed_scores.sides import ComparedSeeds


def build(
    run: Path,
    formats: Collection[str] = FORMATS,
    out: Path | None = None,
    others: Others | None = None,
    *,
    only_common: bool = False,
    accept: str | None = None,
) -> list[Path]:
    """Write the report of a run folder, and return the files written, the page first.

    Args:
        out: the folder to write to; `report/` in the run folder if None
        others: sections that other packages add
        only_common: keep of each benchmark the problems that all arms and seeds have, instead of refusing
        accept: why a broken seal or a mismatch with the plan does not matter; the report says it

    Raises: ValueError for an unknown format; Unmatched if evaluations of a run of ours do not agree with its plan or
        with each other; BrokenSeal.
    """
    from reports import writing

    return writing.build(Path(run), formats, None if out is None else Path(out), others, only_common, accept)


def summary(run: Path, *, accept: str | None = None) -> str:
    """The verdict and the table of arms x benchmarks as plain text. Raises: as `build`."""
    from reports import writing

    return writing.summary(Path(run), accept)


def without_cost(text: str) -> str:
    """`report.md` or `index.html` less the block that is made from timing.json: equal for equal runs, however often
    they were interrupted. Every other file of a report is free of times, but for that block's picture,
    `figures/cost-cpu.svg`, and seal.json, which has the hashes of all."""
    from reports.render import markdown

    before, _, rest = text.partition(markdown.COST_BEGIN)
    return before + rest.partition(markdown.COST_END)[2]


def compare(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    accept: str | None = None,
    estimand: str = "algorithm",
    alpha: float = 0.05,
    margin: float | None = None,
    only_common: bool = False,
) -> PairResults | ComparedSeeds:
    """Two arms (`runs/x/grpo runs/x/rence`), trials, run folders of one arm, or evaluated models, paired by problem;
    arms that have scores without problems (`rence import scores`), by their seeds, and then there is no `frame()`.

    Args:
        margin: a fraction; differences smaller than this do not matter, and with it the two can be called equivalent.
            Of scores of no known scale (`--unit raw`) it is in their own unit, any number above 0.
        estimand: what intervals shall cover: algorithm, benchmark, checkpoints, answers (docs/statistics.md).
        alpha: level of each family of tests, the average and the benchmarks.
        only_common: keep the problems that both have, instead of refusing sides that were asked different ones.
        accept: why a mismatch or a broken seal does not matter; the result says it.

    Raises: BrokenSeal; Unmatched if data order, weights, budget or evaluation differ; ValueError if a name is
    ambiguous, or margin, alpha or estimand is none; DataError if something is missing or unfinished.
    """
    # scores without problems have seeds to compare and nothing else
    if scores_only(Path(a)) or scores_only(Path(b)):
        from reports.seed_scores import sides

        return sides.compare_sides(str(a), str(b), accept, alpha, margin)
    from reports import comparing
    from reports.frames.compared import PairResults

    return PairResults(**vars(comparing.compare(str(a), str(b), accept, estimand, alpha, margin, only_common)))


def load(folder: str | os.PathLike[str], *, accept: str | None = None, only_common: bool = False) -> Results:
    """The results in a folder, as tables and pictures: of a run, finished or under way, an import (`rence import`), an
    evaluation (`rence eval`), or an import of scores without problems (`rence import scores`), which has the tables
    `arms`, `trials`, `scores`, `curves`, `differences` and `missing`, their pictures, and `compare`; what needs
    answers raises DataError there.

    Args:
        accept: why a broken seal or a mismatch does not matter; what is printed says it.
        only_common: keep of each benchmark the problems that all arms and seeds have, instead of refusing.

    Raises: DataError for a folder that holds no results. What is broken, and what does not agree with the plan, is
    refused when it is read: BrokenSeal, Unmatched, DataError.
    """
    from reports.frames.kinds import kind_of
    from reports.frames.loaded import Results
    from reports.frames.of_seeds import SeedResults

    kind = kind_of(Path(folder))
    return (SeedResults if kind == "scores" else Results)(Path(folder), kind, accept, only_common)


def evaluated_model(folder: Path, accept: str | None = None) -> EvaluatedModel:
    """What `rence eval` left in a folder: each benchmark's scores with intervals, and their average.

    Args:
        accept: why a broken seal does not matter; the result says it.

    Raises: BrokenSeal; DataError if nothing complete is there, or not of one model and one sampling.
    """
    from reports.evaluation import result

    return result.read(Path(folder), accept)


def evaluation_text(found: EvaluatedModel, width: int) -> str:
    """The table for a terminal of so many columns."""
    from reports.evaluation import text as evaluated_text

    return evaluated_text.render(found, width)


def gate_run(
    run: str,
    baseline: Path,
    *,
    margin: float | None = None,
    accept: str | None = None,
    on_inconclusive: Policy = "fail",
    problems: Problems = "new",
    only_common: bool = False,
) -> Gate:
    """Whether a run (anything `compare` takes) has not lost a margin or more against a baseline file.

    Args:
        margin: as a fraction, above 0; the file's own if None, and 2 points where it states none
        problems: `new` ones like these; or `these` alone, where only answers are drawn anew
        only_common: keep the problems that both have, instead of refusing a run that was asked others
        accept: why a mismatch or a broken seal does not matter; the result says it

    Raises: DataError if the baseline is broken, or the run lacks one of its benchmarks or was asked other problems;
    BrokenSeal; Unmatched if template, sampling, engine, marker or versions differ; ValueError if the run's name is
    ambiguous.
    """
    from reports.gate import running

    return running.run(run, Path(baseline), margin, accept, on_inconclusive, problems, only_common)


def gate_by_looks(
    run: str,
    baseline: Path,
    *,
    margin: float | None = None,
    accept: str | None = None,
    on_inconclusive: Policy = "fail",
    command: str = "",
) -> Gate:
    """`gate_run` on a folder of `rence eval` that may still grow: at most five looks, which together err no more often
    than one gate. What was seen is recorded beside the evaluation.

    Args:
        command: what evaluates further, for the message of `NotDecided`

    Raises: NotDecided if the next look needs more problems; ValueError also if another gate looked at the folder; else
    as `gate_run`.
    """
    from reports.gate import running_looks

    return running_looks.run(run, Path(baseline), margin, accept, on_inconclusive, command)


def gate_looks(
    baseline: Path,
    headers: Iterable[EvalRecord],
    ids: Mapping[str, Sequence[str]],
    out: Path,
    *,
    accept: str | None = None,
) -> list[dict[str, int]]:
    """How many problems of each benchmark each look of `gate_by_looks` needs, before the first is asked.

    Args:
        headers: of the evaluation that will be made in `out`
        ids: benchmark -> its problems

    Raises: DataError, Unmatched, ValueError where such an evaluation could not be gated.
    """
    from reports.gate import running_looks

    return running_looks.planned(Path(baseline), headers, ids, Path(out), accept)


def reproduction(
    run: Path, published: Sequence[Published], *, accept: str | None = None, alpha: float = 0.05
) -> Reproduction:
    """Whether a run reproduces published cells, with the noise of both sides.

    Args:
        published: tables of others' scores, each a family of tests of its own.
        accept: a reason to compare what differs in model, decoding or golds, and what is not sealed as it was, all the
            same.

    Raises: DataError if the run's files are missing or broken, or it has none of the cells; else as `build`.
    """
    from reports.questions import reproduce

    return reproduce.reproduction(Path(run), published, accept, alpha)


def same_model(a: str, b: str, *, accept: str | None = None, alpha: float = 0.05) -> SameModel:
    """Whether two checkpoints, named as in `compare`, differ on these problems: sampling of answers alone.

    Args:
        accept: why a mismatch or a broken seal does not matter; the result says it.

    Raises: ValueError if one of them is several checkpoints; Unmatched if they were not asked in one way; BrokenSeal;
    DataError if they were asked different problems or something is missing.
    """
    from reports.questions import same

    return same.same(a, b, accept, alpha)


def diff_picture(document: Mapping[str, Any]) -> tuple[str, bytes]:
    """SVG and PNG of what `rence diff --json` prints."""
    from reports.figures import frozen

    return frozen.picture(document)


def update_baseline(
    run: str, baseline: Path, margin: float | None = None, *, accept: str | None = None
) -> BaselineUpdate:
    """Write a run's results as the baseline, in the place of what was there.

    Args:
        accept: why a broken seal of the run does not matter; the baseline says it.

    Raises: BrokenSeal; DataError if the run is incomplete or the file that is there is broken; ValueError as
    `gate_run`.
    """
    from reports.gate import updating

    return updating.update(run, Path(baseline), margin, accept)
