"""What was recognised, in words: one line before the numbers, and notes that an import keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.importing.evaluations import ImportedEvaluation
from harness.importing.shapes.left_arms import result_place
from harness.importing.shapes.recognise import FoundShape, PeekedFile, distinct
from harness.importing.shapes.whose import Whose
from harness.records import START


def nameless(shape: FoundShape, whose: Whose) -> bool:
    """Whether nothing names the arm, and nothing numbers the answers to a problem in a file."""
    numbered = {"sample", "num_samples"} & shape.roles.columns.keys() or shape.layout.lists
    return whose.how.get("arm") == "the path" and not numbered


def grader(shape: FoundShape, file: PeekedFile, filter: str | None) -> str:
    """What says of one file's answers which are correct: of a tool its name and the metric, else the place."""
    columns = shape.roles.columns
    result = shape.result_of(file) or next((columns[role] for role in ("mark", "num_samples") if role in columns), None)
    if shape.family and shape.family.engine and result:
        said = f"{shape.family.engine} {(result.path or (result.text,))[-1]}"
        return f"{said}, filter {filter}" if filter not in (None, "none") else said
    return f"{result.text if result else ''} of {shape.name}"


def said(shape: FoundShape, whose: Whose, files: int, final: Sequence[ImportedEvaluation]) -> str:
    """One line: what was recognised, and where arms are from.

    Args:
        files: how many were read.
        final: what is compared.
    """
    arms = {one.arm for one in final}
    names = {one.benchmark for one in final}
    problems = sum(max(one.problems for one in final if one.benchmark == name) for name in names)
    ks = sorted({one.k for one in final})
    how, arms_from = whose.how, whose.how.get("arm", "as named")
    where = [f"arms {arms_from if arms_from == 'as named' else f'from {arms_from}'}"]
    if len(names) > 1 and how.get("benchmark") in ("file names", "folder names"):
        where.append(f"benchmarks from {how['benchmark']}, with no problem in common")
    rows = f" from {ks[0]} rows a problem" if nameless(shape, whose) and files == 1 and ks[0] > 1 else ""
    return (
        f"{shape.name}: {_count(arms, 'arm')}, {_count(names, 'benchmark')}, {problems:,} "
        f"problem{'' if problems == 1 else 's'}, k {', '.join(map(str, ks))}{rows}; {', '.join(where)}"
    )


def _count(things: set[str], word: str) -> str:
    return f"{len(things):,} {word}{'' if len(things) == 1 else 's'}"


def notes(shape: FoundShape, whose: Whose, marked_anew: bool, most: int, without: int) -> Iterator[str]:
    """What a reader of the numbers must know of how they were read.

    Args:
        most: answers to one problem, if all of them are from one file; else 0.
        without: rows that have no result and were left out.
    """
    if not marked_anew and "mark" not in shape.roles.columns:
        yield "The source tells which answers are correct, not whether the others are wrong, missing or cut off."
    seedless = any(seed is None and arm != START for seed, arm in zip(whose.seed, whose.arm, strict=True))
    if shape.family and shape.family.engine and seedless and "seed" not in shape.roles.columns:
        yield "A source without a seed in its name is taken as seed 0: ARM/seedN=PATH names another."
    if shape.roles.by_text:
        yield "Problems are known by their text and gold."
    if "num_samples" in shape.roles.columns:
        yield "Of each problem the source counts answers; which of them is which it does not tell."
    if whose.how.get("arm") == "the path" and (place := result_place(shape)):
        yield f"Which answers are correct is read from `{place}`."
    if nameless(shape, whose) and most > 1:
        yield (
            f"The {most:,} rows of each problem are taken for samples of one arm: nothing numbers them, and nothing "
            "names a model. If they are of several models, add a column that names them, and --column arm=KEY; "
            "--arm NAME says that they are of one."
        )
    # neither reading can be seen from names alone, so it is said which was taken
    if few := _numbered_arms(shape, whose):
        yield (
            f"{' and '.join(f'`{name}`' for name in few)} differ in a number alone, and are taken for two arms. If the "
            "numbers are of samples or seeds of one arm, say so: of files with {arm}_{sample} or {arm}_{seed} in the "
            "path, of a table with a row for each answer and the columns `arm` and `sample`, or `seed`."
        )
    if without:
        yield f"{without:,} rows have no result and were left out."


def _numbered_arms(shape: FoundShape, whose: Whose) -> list[str]:
    """Two arms whose names differ in a number alone, where all arms are numbered from 0 or 1 so; else none."""
    names = list(dict.fromkeys(arm for arm in whose.arm if arm))
    if not names and "arm" in shape.roles.columns:
        names = [str(name) for name in distinct(shape.values("arm"))]
    found = [re.fullmatch(r"(.*[^\d.])(\d+)", name) for name in names]
    numbers: dict[str, list[int]] = {}
    for one in found:
        if one is not None:
            numbers.setdefault(one[1], []).append(int(one[2]))
    alike = {tuple(sorted(of)) for of in numbers.values()}
    if whose.how.get("arm") == "as named" or not all(found) or len(alike) != 1:
        return []
    (run,) = alike
    first = next(iter(numbers))
    return [f"{first}{n}" for n in run[:2]] if len(run) > 1 and run in (tuple(range(len(run))), _from_one(run)) else []


def _from_one(run: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(1, len(run) + 1))
