"""What may be trained on: no problem twice, none with two answers, none of a benchmark, none too long.

A problem's tokens are its words, numbers and operators, in lower case and without layout, so that `$\\frac{m}{n}$`
and `\\( \\frac{m}{n} \\)` are the same. Two problems are the same if their tokens are. A training problem is near a
benchmark's if it holds at least half of that problem's runs of thirteen tokens. Equality alone finds too few: training
sets reword the last sentence ("What is the sum" becomes "Find the sum"), often to ask for a whole number.

Thirteen is GPT-3's length (Brown et al. 2020, appendix C), half is ours: contest problems share phrases such as
"where m and n are relatively prime positive integers", so that a single run says little. Some variations of a
benchmark's problem with other numbers go as well.

Two answers to one problem are looked for among texts of the same tokens, and of the same wording (`wording.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.loading.wording import wording
from benchmarks.marks import MATHS, NUMBERS, Mark
from benchmarks.problems import Problem, Selection

RUN = 13
"""tokens in a run"""
NEAR = 0.5
"""share of a benchmark problem's runs that makes a training problem a copy of it"""

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[-+*/<>=!]")

MOST_CHARACTERS = 3000
"""longer problems are drawings in code: they would make every prompt's place in memory twice as long"""

UNMARKABLE = "unmarkable"
"""its own gold would not be marked correct"""
CONFLICTING = "contradictory"
"""the same text, or the same in other words, with several answers; none is kept"""
DUPLICATE = "repeated"
"""the same text with the same answer; the first is kept"""
LONG = f"longer than {MOST_CHARACTERS:,} characters"


def tokens(text: str) -> list[str]:
    """Words, numbers and operators."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def select(problems: Iterable[Problem], held_out: Mapping[str, Sequence[Problem]]) -> Selection:
    """The problems to train on, in their order, and how many were removed for which reason.

    A problem is counted under the first reason that holds, and of several benchmarks under the first.

    Args:
        held_out: benchmark -> its problems.
    """
    from benchmarks.marking import mark

    removed: Counter[str] = Counter()
    markable = []
    for problem in problems:
        # A reward that its own gold does not earn teaches nothing.
        if mark(f"\\boxed{{{problem.gold}}}", problem.gold, NUMBERS).mark is not Mark.CORRECT:
            removed[UNMARKABLE] += 1
        elif len(problem.question) > MOST_CHARACTERS:
            removed[LONG] += 1
        else:
            markable.append(problem)
    kept = []
    overlap = Overlap(held_out)
    for problem, its_tokens in _without_contradictions(_distinct(markable, removed), removed):
        reason = overlap.reason(its_tokens)
        if reason:
            removed[reason] += 1
        else:
            kept.append(problem)
    # In one order, whatever was met first, and without the reasons that removed nothing.
    reasons = [
        UNMARKABLE,
        LONG,
        CONFLICTING,
        DUPLICATE,
        *(f"{how} {name}" for name in held_out for how in ("in", "near")),
    ]
    return Selection(tuple(kept), {reason: removed[reason] for reason in reasons if removed[reason]})


def _distinct(problems: Iterable[Problem], removed: Counter[str]) -> Iterator[tuple[Problem, list[str]]]:
    """Of each text the first problem, with its tokens; none of a text that has several answers."""
    for same in _grouped(problems):
        # Nobody says which answer is right, so none is kept, not even the first.
        if _contradict(problem.gold for problem, _ in same):
            removed[CONFLICTING] += len(same)
        else:
            removed[DUPLICATE] += len(same) - 1
            yield same[0]


def _without_contradictions(
    problems: Iterable[tuple[Problem, list[str]]], removed: Counter[str]
) -> Iterator[tuple[Problem, list[str]]]:
    """Those whose wording has one answer. Copies in other words stay: they are a step each of the same problem."""
    found = [(wording(problem.question), problem, its_tokens) for problem, its_tokens in problems]
    golds: dict[str, list[str]] = defaultdict(list)
    for said, problem, _ in found:
        golds[said].append(problem.gold)
    for said, problem, its_tokens in found:
        if _contradict(golds[said]):
            removed[CONFLICTING] += 1
        else:
            yield problem, its_tokens


def _contradict(golds: Iterable[str]) -> bool:
    """Whether they are different answers, as far as texts and plain numbers tell."""
    from benchmarks.marking.comparing.comparison import compare, plain_leaf

    first, *others = dict.fromkeys(golds)
    return any(compare(other, first, MATHS, plain_leaf).equal is not True for other in others)


def _grouped(problems: Iterable[Problem]) -> Iterable[list[tuple[Problem, list[str]]]]:
    """Problems of the same text, with their tokens, in the order of the first of each."""
    groups: dict[str, list[tuple[Problem, list[str]]]] = defaultdict(list)
    for problem in problems:
        its_tokens = tokens(problem.question)
        groups["".join(its_tokens)].append((problem, its_tokens))
    return groups.values()


class Overlap:
    """Finds the benchmark that a text is from."""

    def __init__(self, held_out: Mapping[str, Sequence[Problem]]) -> None:
        self._texts: dict[str, str] = {}
        """text -> the first benchmark that has it"""
        self._owners: dict[tuple[str, ...], list[int]] = defaultdict(list)
        """run -> the benchmark problems that hold it"""
        self._sizes: list[tuple[str, int]] = []
        """of each benchmark problem: its benchmark, and its number of different runs"""
        for name, problems in held_out.items():
            for problem in problems:
                its_tokens = tokens(problem.question)
                self._texts.setdefault("".join(its_tokens), name)
                runs = set(_runs(its_tokens))
                for run in runs:
                    self._owners[run].append(len(self._sizes))
                self._sizes.append((name, len(runs)))

    def of(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Id -> `in` or `near` and the benchmark, of the problems that are of one."""
        found = ((problem.id, self.reason(tokens(problem.question))) for problem in problems)
        return {id: reason for id, reason in found if reason}

    def reason(self, its_tokens: Sequence[str]) -> str | None:
        """Why a training problem must go; None if it may stay."""
        exact = self._texts.get("".join(its_tokens))
        if exact:
            return f"in {exact}"
        shared = Counter(owner for run in set(_runs(its_tokens)) for owner in self._owners.get(run, ()))
        near = min((owner for owner, count in shared.items() if count >= NEAR * self._sizes[owner][1]), default=None)
        return None if near is None else f"near {self._sizes[near][0]}"


def _runs(its_tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(its_tokens[i:] for i in range(RUN)), strict=False)
