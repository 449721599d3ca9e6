"""What every benchmark has to keep to, a plug-in's too: `rence check NAME` runs `CHECKS` on it.

A check passes if it returns, fails with what it raises, and is not run where it raises SkipTest. Those that mark
answers use the benchmark's own rule; they look at `MOST` problems at most, spread over the whole, for Math-Verify takes
its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from unittest import SkipTest

from benchmarks.marking import mark_all
from benchmarks.marking.answers.canonical import canonical
from benchmarks.marks import Mark, Response
from benchmarks.problems import Benchmark, Problem, ProblemsError, hash_of

MOST = 120
"""problems whose golds are marked"""
_ALIKE = 20
"""golds of two problems may say the same in other words; of so many pairs one at most"""
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
_FRACTION = re.compile(r"(-?)\\d?frac\{([0-9]+)\}\{([0-9]+)\}|(-?)([0-9]+)/([0-9]+)")


def title_k_and_description_are_said(benchmark: Benchmark) -> None:
    """All that tables, plans and `rence list benchmarks` print of it."""
    _require(bool(benchmark.title.strip()), "`title` is empty: tables could not name it")
    _require(bool(benchmark.description.strip()), "`description` is empty")
    _require(benchmark.k >= 1, f"`k` must be at least 1, but is {benchmark.k}")
    _require(benchmark.count >= 1, f"`count` must be at least 1, but is {benchmark.count}")
    _require(bool(benchmark.rule_in_words), "it does not say what counts as equal to a gold")


def count_and_hash_are_those_that_are_pinned(benchmark: Benchmark) -> None:
    """And loading is repeatable: the same problems in the same order, one of them or all.

    Raises: ProblemsError if they cannot be loaded, or are others.
    """
    problems = benchmark.problems  # which raises if they are others
    again = benchmark.load()
    _require(hash_of(again) == hash_of(problems), "loading it twice gives other problems, or another order")
    _require(benchmark.first(1).problems == problems[:1], "its first problem is another when it is asked alone")


def ids_are_unique(benchmark: Benchmark) -> None:
    """An id is a hash of question and gold, and attempts are paired by it."""
    problems = _problems(benchmark)
    twice = len(problems) - len({problem.id for problem in problems})
    _require(not twice, f"{twice} problems have the id of another: the same question and gold")


def questions_can_be_asked_and_stored(benchmark: Benchmark) -> None:
    """No question or gold is empty, holds NUL, or is outside UTF-8, which prompts and Parquet files are in."""
    try:
        problems = benchmark.load()
    except ProblemsError:
        raise SkipTest("its problems cannot be loaded") from None
    for number, problem in enumerate(problems, 1):  # an id is a hash of the text, and there may be none
        for what, text in (("question", problem.question), ("gold", problem.gold)):
            _require(bool(text.strip()), f"problem {number} has an empty {what}")
            _require("\0" not in text, f"the {what} of problem {number} holds a NUL character")
            try:
                text.encode()
            except UnicodeEncodeError:
                raise AssertionError(f"the {what} of problem {number} is no text that UTF-8 can hold") from None


def golds_are_correct_answers_to_their_own_problems(benchmark: Benchmark) -> None:
    """A perfect answer in a box is marked correct; otherwise no model could score 1."""
    problems = _some(_problems(benchmark))
    _all(Mark.CORRECT, problems, [problem.gold for problem in problems], "its own gold")


def golds_accept_another_form_of_themselves(benchmark: Benchmark) -> None:
    """The same with blanks around it; a whole number as a decimal; a fraction in the other notation, where the rule
    reads expressions."""
    problems = _some(_problems(benchmark))
    for what, rewrite in _FORMS.items():
        pairs = [(problem, form) for problem in problems if (form := rewrite(problem)) is not None]
        _all(Mark.CORRECT, [problem for problem, _ in pairs], [form for _, form in pairs], what)


def golds_refuse_those_of_other_problems(benchmark: Benchmark) -> None:
    """A rule that accepts anything would pass all the checks above. Each gold meets the next one that is written
    otherwise; one pair in `_ALIKE` may be equal all the same, such as 0.5 and 1/2."""
    problems = _some(_problems(benchmark))
    pairs = [(problem, other) for problem in problems if (other := _other(problem, problems)) is not None]
    if not pairs:
        raise SkipTest("all problems have the same gold")
    marks = _marks([problem for problem, _ in pairs], [other.gold for _, other in pairs])
    accepted = [pair for pair, mark in zip(pairs, marks, strict=True) if mark is Mark.CORRECT]
    if len(accepted) > len(pairs) // _ALIKE:
        problem, other = accepted[0]
        raise AssertionError(
            f"{len(accepted)} of {len(pairs)} problems accept the gold of another one: {other.gold!r} counts as "
            f"{problem.gold!r} (problem {problem.id})"
        )


CHECKS: tuple[Callable[[Benchmark], None], ...] = (
    title_k_and_description_are_said,
    count_and_hash_are_those_that_are_pinned,
    ids_are_unique,
    questions_can_be_asked_and_stored,
    golds_are_correct_answers_to_their_own_problems,
    golds_accept_another_form_of_themselves,
    golds_refuse_those_of_other_problems,
)


def _decimal(problem: Problem) -> str | None:
    return f"{problem.gold}.0" if _INTEGER.fullmatch(problem.gold) else None


def _other_fraction(problem: Problem) -> str | None:
    found = _FRACTION.fullmatch(problem.gold) if problem.rule.symbolic else None
    if not found:
        return None
    if found[2]:
        return f"{found[1]}{found[2]}/{found[3]}"
    return f"{found[4]}\\frac{{{found[5]}}}{{{found[6]}}}"


_FORMS: dict[str, Callable[[Problem], str | None]] = {
    "its own gold with blanks around it": lambda problem: f"  {problem.gold} ",
    "its own gold written as a decimal": _decimal,
    "its own gold in the other notation of fractions": _other_fraction,
}


def _problems(benchmark: Benchmark) -> tuple[Problem, ...]:
    try:
        return benchmark.problems
    except ProblemsError:
        raise SkipTest("its problems cannot be loaded") from None


def _some(problems: Sequence[Problem]) -> Sequence[Problem]:
    """At most MOST, at equal distances."""
    if len(problems) <= MOST:
        return problems
    return [problems[i * len(problems) // MOST] for i in range(MOST)]


def _other(problem: Problem, problems: Sequence[Problem]) -> Problem | None:
    """The next one whose gold is written otherwise; None if there is none."""
    place = problems.index(problem)
    return next((one for one in (*problems[place:], *problems[:place]) if _differs(one, problem)), None)


def _differs(one: Problem, other: Problem) -> bool:
    return canonical(one.gold) != canonical(other.gold)


def _marks(problems: Sequence[Problem], answers: Sequence[str]) -> list[Mark]:
    responses = [
        Response(f"\\boxed{{{answer}}}", problem.gold, problem.rule)
        for problem, answer in zip(problems, answers, strict=True)
    ]
    return [marked.mark for marked in mark_all(responses)]


def _all(mark: Mark, problems: Sequence[Problem], answers: Sequence[str], what: str) -> None:
    marks = _marks(problems, answers)
    wrong = [place for place, found in enumerate(marks) if found is not mark]
    if wrong:
        first = wrong[0]
        raise AssertionError(
            f"{len(wrong)} of {len(marks)} problems do not take {what} as {mark.value}: problem {problems[first].id}, "
            f"{answers[first]!r} is {marks[first].value}"
        )


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)
