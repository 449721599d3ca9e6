"""Ids that are called like those of problems and are none: one for many problems, or another in every row.

Constant: `promptId` of a template whose filled text stands in `vars.q`. Of rows: a `uuid` of each call of a model.
What shows it is a place whose values the arms share, whatever it is called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from harness.importing.shapes import judging
from harness.importing.shapes.flat import own_name
from harness.importing.shapes.sampled import Roles, Sampled, Values
from harness.importing.shapes.vocabulary import rank

_FEWEST = 5
"""values that a place must have before it shows anything"""
_MOST_SAMPLES = 8
"""answers of a group to a text: with more the text is a subject, or a level, and not the problem"""
_OF_ANSWERS = ("response", "answer", "correct", "mark", "tokens", "finish_reason", "time", "sample", "benchmark")


def drop(sampled: Sampled, found: Roles) -> None:
    """Takes the id of problems away that is none, and keeps what shows it; what the user says stays."""
    column = found.columns.get("problem_id")
    if column is None or "problem_id" in sampled.asked or found.templates:
        return
    if sampled.family and "problem_id" in sampled.family.roles:
        return
    ids = [str(value) for value in sampled.values[column.text]]
    if "question" in found.columns and len(set(ids)) > 1:
        return  # it was compared with the text
    groups = _groups(sampled)
    for text, values in _others(sampled, found):
        if len(set(values)) < _FEWEST:
            continue
        alone, constant = len(set(groups)) == 1, len(set(ids)) == 1
        if alone and not (constant and _are_sentences(values)):
            continue  # of one model's answers any column may vary
        # models that say the same share many texts of answers, not all of them
        shared = alone or _are_shared(groups, values, 0.5 if constant else 0.95)
        coarse = judging.one_each(values, ids) and not judging.one_each(ids, values)
        if (shared and coarse) or (not alone and shared and _are_of_rows(groups, ids, values)):
            found.no_id = (column.text, text)
            del found.columns["problem_id"]
            found.by_text = False
            return


def _groups(sampled: Sampled) -> Values:
    """Of each answer, whose it seems to be: its file, and the arm that its row names."""
    named = [name for name in ("{arm}",) if name in sampled.values] or sampled.ranked("arm", judging.are_arms)[:1]
    return list(zip(sampled.files, *(sampled.values[name] for name in named), strict=True))


def _others(sampled: Sampled, found: Roles) -> Iterator[tuple[str, list[str]]]:
    """Places that may tell the problem: texts before numbers that are called like ids."""
    taken = {column.text for column in found.columns.values()} | {*sampled.ranked("arm", judging.are_arms)[:1]}
    free = [text for text, column in sampled.columns.items() if column.where == "row" and text not in taken]
    free = [text for text in free if not any(_is(role, text, sampled) for role in _OF_ANSWERS)]
    full = [text for text in free if all(map(judging.is_there, sampled.values[text]))]
    texts = [text for text in full if judging.are_texts(sampled.values[text])]
    ids = [text for text in full if text not in texts and _is("problem_id", text, sampled)]
    for text in [*sorted(texts, key=lambda text: not _are_sentences(sampled.values[text])), *ids]:
        if text in texts or judging.are_ids(sampled.values[text]):
            yield text, [str(value) for value in sampled.values[text]]


def _is(role: str, text: str, sampled: Sampled) -> bool:
    return rank(role, own_name(sampled.columns[text], sampled.layout)) is not None


def _are_sentences(values: Values) -> bool:
    return 2 * sum(" " in str(value).strip() for value in values) > len(values)


def _are_shared(groups: Values, values: Sequence[str], least: float) -> bool:
    """Whether more than a share of the values of each group is in the first one too."""
    by: dict[Hashable, set[str]] = defaultdict(set)
    for group, value in zip(groups, values, strict=True):
        by[group].add(value)
    first, *others = by.values()
    return all(len(first & one) > least * min(len(first), len(one)) for one in others)


def _are_of_rows(groups: Values, ids: Sequence[str], values: Sequence[str]) -> bool:
    """Whether an id is there once, and so in one group alone, where the texts of each group are many."""
    return (
        len(set(ids)) == len(ids)
        and _are_sentences(values)
        and _MOST_SAMPLES * len(set(zip(groups, values, strict=True))) >= len(ids)
    )
