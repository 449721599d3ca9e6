"""Marks: of responses against golds, of any text against any text, and answers against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from benchmarks.marking.answers import structure
from benchmarks.marking.comparing.comparison import compare, plain_leaf
from benchmarks.marking.pool import Pool, Question, Reply, shared
from benchmarks.marking.responses import choices, stated
from benchmarks.marking.responses.extraction import Extraction, Place, Reading, extract
from benchmarks.marking.verdicts import Verdict
from benchmarks.marks import Form, Mark, Marked, Response, Rule

_OURS = "3"
"""changes whenever any mark may change"""
_RESTS_ON = ("sympy", "python-flint", "math-verify")
"""packages whose versions may change one too"""


def _version() -> str:
    try:
        return f"{_OURS} ({', '.join(f'{name} {version(name)}' for name in _RESTS_ON)})"
    except PackageNotFoundError:
        return _OURS


MARKER_VERSION = _version()
MOST_SEARCHED = 8000
"""characters at the end of a text in which Math-Verify looks for an answer"""


def mark(text: str, gold: str, rule: Rule, truncated: bool = False) -> Marked:
    """Mark one response as its rule reads it. See `Response`."""
    return mark_all([Response(text, gold, rule, truncated)])[0]


def mark_all(responses: Iterable[Response], pool: Pool | None = None, reading: Reading = Reading.RULE) -> list[Marked]:
    """Mark responses against golds that are answers, in their order.

    Args:
        pool: of workers; this process's own if None.
        reading: how an answer is found; evaluations and training read as the rule does.
    """
    responses = list(responses)
    read = [_found(one, reading) for one in responses]
    return _mark(responses, [found for found, _ in read], [gold for _, gold in read], pool)


def mark_texts(
    responses: Iterable[Response], pool: Pool | None = None, reading: Reading = Reading.ANYWHERE
) -> list[Marked]:
    """Mark texts against golds that may be texts too, in their order.

    A gold that is a capital letter, A to J, takes that letter also in the ways of multiple choice.
    """
    responses = list(responses)
    read = [_read(one, reading) for one in responses]
    return _mark(responses, [found for found, _ in read], [gold for _, gold in read], pool)


def mark_readings(
    responses: Iterable[Response], pool: Pool | None = None, reading: Reading = Reading.RULE
) -> list[Mapping[Reading, Marked]]:
    """Each response marked by every reading, in their order; where readings find the same answer, it is compared once.

    Args:
        pool: as in `mark_all`.
        reading: what the scores are by: anywhere takes golds as `mark_texts` does, for every reading; the others as
            `mark_all`. Of this reading the marks are those that these give.
    """
    responses = list(responses)
    read = _read if reading is Reading.ANYWHERE else _found
    found = [{one: read(response, one) for one in Reading} for response in responses]
    asked = list(dict.fromkeys((place, pair) for place, pairs in enumerate(found) for pair in pairs.values()))
    marked = dict(
        zip(
            asked,
            _mark(
                [responses[place] for place, _ in asked],
                [answer for _, (answer, _) in asked],
                [gold for _, (_, gold) in asked],
                pool,
            ),
            strict=True,
        )
    )
    return [{one: marked[place, pair] for one, pair in pairs.items()} for place, pairs in enumerate(found)]


def equal_all(pairs: Iterable[tuple[str, str, Rule]], pool: Pool | None = None) -> list[bool]:
    """Whether the first answer of each pair equals the second, as a marked answer equals its gold; False where the
    comparison failed."""
    return [verdict.equal is True for verdict in _compare_all(list(pairs), pool)]


def _found(response: Response, reading: Reading) -> tuple[Extraction, Extraction]:
    """What is in the response, and its gold, which is an answer."""
    return extract(response.text, reading, response.rule.form), Extraction(response.gold)


def _read(response: Response, reading: Reading) -> tuple[Extraction, Extraction]:
    """What is in the response, and in its gold, which may be a text."""
    found, gold = extract(response.text, reading, response.rule.form), _gold_of(response.gold.strip())
    if gold.answer in choices.LETTERS and response.rule.form is Form.MATHS and reading is not Reading.BOX:
        lettered = extract(response.text, reading, Form.CHOICE)
        letter = choices.letter(lettered.answer or "")
        return (lettered._replace(answer=letter) if letter else found), gold
    elsewhere = found.place is Place.BOX or (found.answer is not None and found.place is not Place.BARE)
    if reading is Reading.ANYWHERE and not elsewhere and response.text.split() == response.gold.split() != []:
        same = Extraction(response.gold.strip(), Place.BARE)
        return same, same
    return found, gold


@lru_cache(maxsize=65536)
def _gold_of(gold: str) -> Extraction:
    """The answer in a gold that may be a text, wherever in it it stands."""
    found = extract(gold, Reading.ANYWHERE)
    if found.others:
        return found._replace(answer=",".join(found.others))
    return found if found.answer else Extraction(None, Place.SEARCHED, within=gold)


def _mark(
    responses: Sequence[Response], found: Sequence[Extraction], golds: Sequence[Extraction], pool: Pool | None
) -> list[Marked]:
    """Search where nothing else is left, compare what was found, and give the marks in the responses' order."""
    found, golds = _searched(found, pool), _searched(golds, pool)
    asked = [
        (_together(one, gold.answer or response.gold), gold.answer or response.gold, response.rule)
        for response, one, gold in zip(responses, found, golds, strict=True)
        if one.answer is not None
    ]
    verdicts = iter(zip(asked, _compare_all(asked, pool), strict=True))
    marked = []
    for response, one in zip(responses, found, strict=True):
        if one.answer is None:
            failed = one.place is Place.SEARCHED
            absent = Mark.GRADER_FAILED if failed else Mark.TRUNCATED if response.truncated else Mark.NO_ANSWER
            marked.append(Marked(absent, None, one.reason))
        else:
            (answer, _, _), verdict = next(verdicts)
            marked.append(Marked(_MARKS[verdict.equal], answer, verdict.reason, one.place or ""))
    return marked


_MARKS = {True: Mark.CORRECT, False: Mark.WRONG, None: Mark.GRADER_FAILED}


def _searched(found: Sequence[Extraction], pool: Pool | None) -> list[Extraction]:
    """With what Math-Verify finds where nothing else could be read."""
    questions: dict[int, Question] = {
        place: ("search", one.within[-MOST_SEARCHED:]) for place, one in enumerate(found) if one.within
    }
    replies = _ask(list(questions.values()), pool)
    read = list(found)
    for place, question in questions.items():
        reply = replies[question]
        if reply.value and stated.is_whole(found[place].within, str(reply.value)):
            read[place] = Extraction(str(reply.value), Place.SEARCHED)
        elif reply.value is None:
            read[place] = Extraction(None, Place.SEARCHED, reply.reason)
        else:
            read[place] = Extraction(None, reason="no answer was found")
    return read


def _together(found: Extraction, gold: str) -> str:
    """The answer, or what several boxes hold if the gold is a longer list than the last of them."""
    answer = found.answer or ""
    if not found.others or structure.size(structure.read(answer)) >= structure.size(structure.read_gold(gold)):
        return answer
    return ", ".join(found.others)


def _compare_all(pairs: Sequence[tuple[str, str, Rule]], pool: Pool | None) -> list[Verdict]:
    """Of (answer, gold, rule): decided here if texts and plain numbers tell, else in a worker."""
    verdicts = [_here(*pair) for pair in pairs]
    questions: dict[int, Question] = {
        place: ("compare", answer, gold, rule.form.value, rule.tolerance)
        for place, (answer, gold, rule) in enumerate(pairs)
        if verdicts[place].equal is None
    }
    replies = _ask(list(questions.values()), pool)
    for place, question in questions.items():
        reply = replies[question]
        verdicts[place] = Verdict(None if reply.value is None else bool(reply.value), reply.reason)
    return verdicts


def _here(answer: str, gold: str, rule: Rule) -> Verdict:
    if rule.form is Form.CHOICE:
        return choices.compare(answer, gold)
    return compare(answer, gold, rule, plain_leaf)


def _ask(questions: Sequence[Question], pool: Pool | None) -> dict[Question, Reply]:
    """Equal questions are asked once, different ones side by side."""
    distinct = list(dict.fromkeys(questions))
    replies = (pool or shared()).ask_all(distinct) if distinct else []
    return dict(zip(distinct, replies, strict=True))
