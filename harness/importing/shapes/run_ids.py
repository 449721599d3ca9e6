"""Files whose problems have other ids in each of them, as ids of runs do, and yet seem to be the same problems.

By their ids such files have no problem in common, and so they look like two benchmarks. That they are not is seen by
their golds, the same in the same order, or by ids that differ in the files' own names alone. What they are is asked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from harness.importing.shapes import judging
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.naming import Varying
from harness.importing.shapes.recognise import FoundShape
from harness.importing.shapes.vocabulary import rank
from harness.importing.shapes.whose import FileFacts, Whose

_BITS = 12.0
"""that golds must tell before the same order of them is no coincidence: twelve are right or wrong"""

_FEWEST = 4
"""problems of a file whose ids are compared with another's"""


@dataclass(frozen=True)
class _AnswersOfFile:
    """What is compared of one file, row by row."""

    place: int
    ids: tuple[str, ...]
    golds: tuple[str, ...]


def of_run_ids(shape: FoundShape, made: Whose, facts: Sequence[FileFacts], missing: Missing, arm: str | None) -> None:
    """Adds the question what files are that seem to ask the same under other ids.

    Args:
        arm: that the command names: then all files are of one, and nothing is asked.
    """
    if arm is not None or len(facts) < 2 or "problem_id" not in shape.roles.columns:
        return
    found = next(_alike(shape, made, facts), None)
    if found is None:
        return
    one, other, how = found
    names = " and ".join(str(facts[each.place].source.path) for each in (one, other))
    settled = "If they are benchmarks, or parts of one, of a single arm: --arm NAME."
    said = f"{names} have no problem in common, but {how}: by their ids they look like two benchmarks."
    if key := _common_key(shape, [one, other]):
        named = f"If they are arms or seeds, `{key}` names their problems."
        missing.add(f"{said} {settled} {named}", "--column", f"problem_id={key}")
    else:
        missing.add(
            f"{said} {settled} If they are arms or seeds, write ids into the rows that both have, and name them with "
            "--column problem_id=KEY: problems are never paired by the order of rows."
        )


def _alike(
    shape: FoundShape, made: Whose, facts: Sequence[FileFacts]
) -> Iterator[tuple[_AnswersOfFile, _AnswersOfFile, str]]:
    """Pairs of files that seem to ask the same, and why."""
    files = _files(shape, len(facts))
    by_golds: dict[Hashable, _AnswersOfFile] = {}
    for one in files:
        if _bits(one.golds) >= _BITS:
            first = by_golds.setdefault(one.golds, one)
            if first is not one and _apart(facts[first.place], facts[one.place]):
                yield first, one, "the same golds in the same order"
    # parts of a benchmark have such ids too, and other golds
    for part in made.parts if "gold" not in shape.roles.columns else ():
        by_ids: dict[Hashable, _AnswersOfFile] = {}
        for one in files:
            label = part.labels[one.place]
            bare = tuple(sorted(each.replace(label, "") for each in one.ids)) if not label.isdigit() else ()
            if (
                len(set(bare)) >= _FEWEST
                and any(label in each for each in one.ids)
                and len(set(bare)) == len(set(one.ids))
            ):
                first = by_ids.setdefault((bare, _others(made.parts, part, one.place)), one)
                if first is not one and _apart(facts[first.place], facts[one.place]):
                    yield first, one, f"ids that differ in the files' names alone (`{first.ids[0]}`, `{one.ids[0]}`)"


def _others(parts: Sequence[Varying], part: Varying, place: int) -> tuple[str, ...]:
    return tuple(other.labels[place] for other in parts if other is not part)


def _apart(one: FileFacts, other: FileFacts) -> bool:
    """Whether nothing but ids says that two files are of two benchmarks."""
    told = [(each.benchmarks, each.told.get("benchmark"), each.source.name.benchmark) for each in (one, other)]
    return not one.problems & other.problems and told[0] == told[1]


def _files(shape: FoundShape, count: int) -> list[_AnswersOfFile]:
    ids = list(map(str, shape.values("problem_id")))
    golds = list(map(str, shape.values("gold"))) if "gold" in shape.roles.columns else [""] * len(ids)
    rows: list[list[int]] = [[] for _ in range(count)]
    for row, file in enumerate(shape.files_of):
        rows[file].append(row)
    return [
        _AnswersOfFile(place, tuple(ids[row] for row in of), tuple(golds[row] for row in of))
        for place, of in enumerate(rows)
        if of
    ]


def _bits(golds: Sequence[str]) -> float:
    """How much one order of these golds tells: their number times the entropy of one."""
    counts = Counter(golds).values()
    return -sum(count * math.log2(count / len(golds)) for count in counts)


def _common_key(shape: FoundShape, files: Sequence[_AnswersOfFile]) -> str:
    """A key whose values are the same in these files, each with one gold; empty if there is none."""
    places = {one.place for one in files}
    rows = [row for row, file in enumerate(shape.files_of) if file in places]
    own = shape.roles.columns["problem_id"].text
    gold = shape.roles.columns["gold"].text if "gold" in shape.roles.columns else ""
    golds = [str(shape.sampled.columns[gold][row]) if gold else "" for row in rows]
    ranks = {text: rank("problem_id", column.path) for text, column in shape.columns.items()}
    named = sorted((text for text, found in ranks.items() if found is not None), key=lambda text: ranks[text] or 0)
    for text in [*named, *([gold] if gold and gold not in named else [])]:
        values = [str(shape.sampled.columns[text][row]) for row in rows]
        counts = [
            Counter(v for v, row in zip(values, rows, strict=True) if shape.files_of[row] == place) for place in places
        ]
        fits = counts[0] == counts[1] and len(set(counts[0].values())) == 1 and len(counts[0]) > 1
        if text != own and fits and judging.are_ids(values) and judging.one_each(values, golds):
            return text
    return ""
