"""What `rence verify` prints for people: a table, what is wrong, and one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rence.cli.console import out, table
from reports.words import plural

if TYPE_CHECKING:
    from harness.verifying.found import ChangedMark, RemarkedEvaluation, Verification, VerifiedEvaluation

MOST_FILES, MOST_ROWS = 8, 10
"""lines that are printed; `--json` has all"""


def show(made: Verification) -> None:
    """Print it."""
    shown = table(*_COLUMNS, *_asked(made), numbers=(*_NUMBERS, *_asked(made)))
    for name, group in _groups(made).items():
        shown.add_row(name, *_cells(group), *_again(made, group))
    if made.evaluations:
        out().print(shown)
    for line in lines(made):
        out().print(line, markup=False, soft_wrap=not out().is_terminal)  # a line for a program, words for a person


_COLUMNS = ("", "evals", "answers", "correct", "weights")
_NUMBERS = _COLUMNS[1:]
_MARKS, _TEXTS = "same marks", "same texts"


def _asked(made: Verification) -> list[str]:
    found = made.evaluations
    return [
        *([_MARKS] if any(one.remarked for one in found) else []),
        *([_TEXTS] if any(one.regenerated for one in found) else []),
    ]


def _groups(made: Verification) -> dict[str, list[VerifiedEvaluation]]:
    """Evaluations by arm; by seed, step or benchmark where there is one of what stands above. What other decodings than
    the first asked has rows of its own."""
    name: Callable[[VerifiedEvaluation], str] = {
        "run": lambda one: one.arm,
        "import": lambda one: one.arm,
        "arm": lambda one: one.arm if one.seed is None else f"{one.arm}/seed{one.seed}",
        "trial": lambda one: f"step {one.step}",
        "evaluation": lambda one: one.benchmark,
    }[made.kind]
    groups: dict[str, list[VerifiedEvaluation]] = {}
    for one in made.evaluations:
        asked = f", {one.decoding}" if one.decoding and made.kind != "evaluation" else ""
        groups.setdefault(f"{name(one)}{asked}", []).append(one)
    return groups


def _cells(group: Sequence[VerifiedEvaluation]) -> Iterator[str]:
    answers, correct = sum(one.attempts for one in group), sum(one.marks.get("correct", 0) for one in group)
    yield f"{len(group):,}"
    yield f"{answers:,}"
    yield f"{100 * correct / answers:.1f} %" if answers else "-"
    known = [one for one in group if one.weights != "unknown"]
    yield f"{sum(one.weights == 'as evaluated' for one in known):,} of {len(known):,}" if known else "-"


def _again(made: Verification, group: Sequence[VerifiedEvaluation]) -> Iterator[str]:
    asked = _asked(made)
    if _MARKS in asked:
        tried = [one.remarked for one in group if one.remarked and not one.remarked.reason]
        answers = sum(one.attempts for one in tried)
        yield f"{answers - sum(len(one.changed) for one in tried):,} of {answers:,}" if tried else "-"
    if _TEXTS in asked:
        made_again = [one.regenerated for one in group if one.regenerated and not one.regenerated.reason]
        answers = sum(one.attempts for one in made_again)
        yield f"{sum(one.equal for one in made_again):,} of {answers:,}" if answers else "-"


def lines(made: Verification) -> Iterator[str]:
    """Everything below the table."""
    yield from _most([one.sentence for one in made.discrepancies], MOST_FILES)
    yield from _marks(made)
    yield from _texts(made)
    yield from made.notes
    yield _SEALS[made.state]
    if made.report in _REPORT:
        yield _REPORT[made.report]
    yield verdict(made)


_SEALS = {
    "sealed": "Seals: every file was compared with the one that names its SHA-256.",
    "unsealed": "Unsealed: made before files named each other's SHA-256. Counts and weights were compared, bytes not.",
}
_REPORT = {
    "of these files": "The report is made of these files.",
    "of other files": "The report is not made of these files.",
    "unsealed": "The report was made before reports were sealed: whether it is of these files is not known.",
}


def _marks(made: Verification) -> Iterator[str]:
    """Who made the marks, and what changes when they are made again."""
    found = [(one, one.remarked) for one in made.evaluations if one.remarked]
    yield from _reasons("Not marked again", ((one, again.reason) for one, again in found))
    tried = [(one, again) for one, again in found if not again.reason]
    if not tried:
        return
    for version, same in sorted({(again.marker, again.same_marker) for _, again in tried}):
        made_by = f"by marker {version}" if version[:1].isdecimal() else f"elsewhere ({version})"
        yield f"Marks were made {made_by}" + (", which is installed." if same else _other())
    without = sum(again.without_text for _, again in tried)
    if without:
        yield f"{plural(without, 'answer')} came without text or gold and cannot be marked."
    rows = [
        f"{one.name} problem {row.problem_id} sample {row.sample}: {row.old} -> {row.new} ({_answers(row)})"
        for one, again in tried
        for row in again.changed
    ]
    yield from _most(rows, MOST_ROWS)
    for benchmark in dict.fromkeys(one.benchmark for one, again in tried if again.changed):
        yield _moved(benchmark, [again for one, again in tried if one.benchmark == benchmark])
    undecided = sum(again.undecided for _, again in tried)
    if undecided:
        yield (
            f"{plural(undecided, 'changed mark')}: one of the two comparisons ran out of time or broke, which is no "
            "difference."
        )


def _moved(benchmark: str, found: Iterable[RemarkedEvaluation]) -> str:
    """`mini_sums: correct 480 -> 479, wrong 920 -> 921.`"""
    old, new = Counter[str](), Counter[str]()
    for again in found:
        old.update({mark: count["old"] for mark, count in again.counts.items()})
        new.update({mark: count["new"] for mark, count in again.counts.items()})
    moved = [f"{mark} {old[mark]:,} -> {new[mark]:,}" for mark in old | new if old[mark] != new[mark]]
    return f"{benchmark}: {', '.join(moved) or 'as many of each mark as before'}."


def _answers(row: ChangedMark) -> str:
    if row.old_answer == row.new_answer:
        return f"answer {row.new_answer!r}"
    return f"answer {row.old_answer!r} -> {row.new_answer!r}"


def _other() -> str:
    from benchmarks.marking import MARKER_VERSION

    return f"; installed is marker {MARKER_VERSION}. What changes is its opinion, and no fault of the files."


def _texts(made: Verification) -> Iterator[str]:
    found = [(one, one.regenerated) for one in made.evaluations if one.regenerated]
    yield from _reasons("Not comparable", ((one, again.reason) for one, again in found))
    rows = [
        f"{one.name} problem {row.problem_id} sample {row.sample}, {row.what}: {row.old!r}, here {row.new!r}"
        for one, again in found
        if not again.reason
        for row in again.changed
    ]
    yield from _most(rows, MOST_ROWS)
    made_again = [again for _, again in found if again.attempts and not again.reason]
    if made_again:
        answers, equal = sum(again.attempts for again in made_again), sum(again.equal for again in made_again)
        where = plural(len(made_again), "evaluation")
        yield f"Generated again, in whole chunks: {answers:,} answers of {where}; {equal:,} are equal."


def _reasons(what: str, found: Iterable[tuple[VerifiedEvaluation, str]]) -> Iterator[str]:
    by_reason: dict[str, list[VerifiedEvaluation]] = {}
    for one, reason in found:
        if reason:
            by_reason.setdefault(reason, []).append(one)
    for reason, group in by_reason.items():
        more = f" and {len(group) - 1:,} more" if len(group) > 1 else ""
        yield f"{what}: {group[0].name}{more}: {reason}."


def _most(rows: Sequence[str], most: int) -> Iterator[str]:
    yield from rows[:most]
    if len(rows) > most:
        yield f"... and {len(rows) - most:,} more; `--json` has all."


def verdict(made: Verification) -> str:
    """The last sentence."""
    whole = [one for one in made.evaluations if one.complete]
    answers = sum(one.attempts for one in whole)
    said = f"{plural(len(whole), 'evaluation')} of {plural(answers, 'answer')}"
    wrong = [
        *([plural(made.differs, "difference")] if made.differs else []),
        *([f"{plural(made.missing, 'thing')} missing"] if made.missing else []),
    ]
    if made.scores_only and wrong:
        return f"Not whole: {' and '.join(wrong)}."
    if wrong:
        return f"Not whole: {' and '.join(wrong)}, in {said}."
    if made.scores_only:
        return "Whole: scores without problems, as they were imported."
    if not whole:
        return "Nothing to verify: there is no evaluation."
    if made.unanswered:
        return f"Whole as far as it goes, {said}; but nothing could be {' or '.join(made.unanswered)} here."
    return f"Whole: {said}."
