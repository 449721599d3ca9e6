"""Marks: of responses that were asked for a box, and of any text against any text; answers against each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from benchmarks.marking.canonical import canonical, canonical_gold, tidy
from benchmarks.marking.comparison import decide
from benchmarks.marking.extraction import adjacent_answers, final_answer, stated_answer
from benchmarks.marking.legacy import items, sides
from benchmarks.marking.pool import Pool, Question, shared
from benchmarks.marks import Mark, Marked, Response, Rule

_OURS = "2"
"""changes whenever any mark may change"""


def _version() -> str:
    try:
        return f"{_OURS} (math-verify {version('math-verify')})"
    except PackageNotFoundError:
        return _OURS


MARKER_VERSION = _version()
MOST_SEARCHED = 8000
"""characters at the end of a text in which Math-Verify looks for an answer"""


def mark(text: str, gold: str, rule: Rule, truncated: bool = False) -> Marked:
    """Mark one response. See `Response`."""
    return mark_all([Response(text, gold, rule, truncated)])[0]


def mark_all(responses: Iterable[Response], pool: Pool | None = None) -> list[Marked]:
    """Mark responses whose answer must stand in a box, in their order.

    Args:
        pool: of workers; this process's own if None.
    """
    return _settle([_boxed(response) for response in responses], pool)


def mark_texts(responses: Iterable[Response], pool: Pool | None = None) -> list[Marked]:
    """Mark texts that may state their answer in any way against golds that may be texts too, in their order."""
    return _settle([_anywhere(response) for response in responses], pool)


def equal_all(pairs: Iterable[tuple[str, str, Rule]], pool: Pool | None = None) -> list[bool]:
    """Whether the first answer of each pair equals the second, as a marked answer equals its gold; False where the
    comparison failed."""
    found = _settle([_compared(answer, other, rule) for answer, other, rule in pairs], pool)
    return [one.mark is Mark.CORRECT for one in found]


@dataclass(frozen=True, slots=True)
class _Open:
    """An answer that is equal to its gold if the question is answered with yes."""

    answer: str | None
    question: Question


def _settle(found: list[Marked | _Open], pool: Pool | None) -> list[Marked]:
    """With the verdicts on what is open: equal questions are asked once, different ones side by side."""
    questions = list(dict.fromkeys(one.question for one in found if isinstance(one, _Open)))
    verdicts = dict(zip(questions, (pool or shared()).ask_all(questions), strict=True)) if questions else {}
    return [one if isinstance(one, Marked) else Marked(_MARKS[verdicts[one.question]], one.answer) for one in found]


_MARKS = {True: Mark.CORRECT, False: Mark.WRONG, None: Mark.GRADER_FAILED}


def _boxed(response: Response) -> Marked | _Open:
    answer = final_answer(response.text)
    if answer is None:
        return Marked(Mark.TRUNCATED if response.truncated else Mark.NO_ANSWER, None)
    return _compared(_together(response.text, answer, response.gold), response.gold, response.rule)


def _together(text: str, answer: str, gold: str) -> str:
    """The answer, or what several boxes hold if the gold is a longer list than the last of them."""
    wanted = items(canonical_gold(gold))
    if wanted is None:
        return answer
    given = items(canonical(answer))
    if given and given.brackets == wanted.brackets and len(given.texts) >= len(wanted.texts):
        return answer
    return adjacent_answers(text) or answer


def _compared(answer: str, gold: str, rule: Rule) -> Marked | _Open:
    verdict = decide(answer, gold, rule)
    if verdict is not None:
        return Marked(_MARKS[verdict], answer)
    left, right = sides(tidy(answer), tidy(gold))
    return _Open(answer, ("same", left, right, rule.tolerance))


def _anywhere(response: Response) -> Marked | _Open:
    text, gold = response.text.strip(), response.gold.strip()
    answer, wanted = stated_answer(text), stated_answer(gold)
    if wanted and "box" in gold:
        wanted = adjacent_answers(gold) or wanted
    if answer and wanted:
        return _compared(_together(text, answer, wanted), wanted, response.rule)
    if text and canonical(text) == canonical(gold):
        return Marked(Mark.CORRECT, text)
    if not text:
        return Marked(Mark.NO_ANSWER, None)
    known = (tidy(answer or ""), text[-MOST_SEARCHED:], tidy(wanted or ""), gold[-MOST_SEARCHED:])
    return _Open(answer, ("same_in_texts", *known, response.rule.tolerance))
