"""Which column has which role: by a family's paths, then by names, and always by what the values are.

Where values contradict a name, the next name is asked; where two names for the result contradict each other, neither is
taken, and the user is asked. So a key that is missing or renamed leads to the same numbers or to a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.base.errors import UserError, nearest
from harness.importing.shapes import judging
from harness.importing.shapes.family import Family
from harness.importing.shapes.flat import RecordColumn, RecordLayout, own_name
from harness.importing.shapes.paths import matches, plain
from harness.importing.shapes.vocabulary import NAMES, rank

Values = Sequence[Any]
_OF_FILES = ("arm", "seed", "step", "benchmark")
"""roles of what stands beside the rows"""
_SURE = NAMES["correct"][: NAMES["correct"].index("grade")]
"""names of nothing but right or wrong; the others may be of rewards"""


@dataclass
class Roles:
    """What was found of some files of one layout."""

    columns: dict[str, RecordColumn] = field(default_factory=dict)
    """role -> its place"""
    by_text: bool = False
    """whether problems are known by their text, not by an id"""
    templates: bool = False
    """whether texts of one problem differ between files, as prompts of several chat templates do"""
    rivals: list[str] = field(default_factory=list)
    """places of other results, that contradict each other: none of them was taken"""
    odd: list[str] = field(default_factory=list)
    """places named like results, whose values are neither right nor wrong"""
    unusable: str = ""
    """the first of them whose name is of nothing but right or wrong: answers are not marked by us in its stead"""
    above: bool = False
    """whether the result is a number above 0"""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sampled:
    """Some answers of all files of one layout, column by column."""

    columns: Mapping[str, RecordColumn]
    values: Mapping[str, Values]
    files: Sequence[int]
    """of each answer"""
    layout: RecordLayout
    family: Family | None
    asked: Mapping[str, str]
    """role -> path, as the user says"""

    def ranked(self, role: str, fits: Callable[[Values], bool], taken: Sequence[str] = ()) -> list[str]:
        """Columns that may have a role, the surest first: as asked, as the family says, by their names."""
        if role in self.asked:
            return [self._asked(role)]
        of_family = [
            text
            for pattern in (self.family.roles.get(role, ()) if self.family else ())
            for text in self.columns
            if matches(pattern, plain(text))
        ]
        ranks = {text: rank(role, own_name(column, self.layout)) for text, column in self.columns.items()}
        named = sorted((text for text, found in ranks.items() if found is not None), key=lambda text: ranks[text] or 0)
        return [
            text
            for text in dict.fromkeys([*of_family, *named])
            if self._may(role, text, taken) and fits(self.values[text])
        ]

    def _may(self, role: str, text: str, taken: Sequence[str]) -> bool:
        column = self.columns[text]
        if text in taken or (column.where == "header" and role not in _OF_FILES):
            return False
        if role in ("correct", "mark", "response", "answer") and (self.layout.lists or self.layout.wide is not None):
            return column.where in ("entry", "arm")
        return True

    def _asked(self, role: str) -> str:
        wanted = plain(self.asked[role])
        found = [text for text in self.columns if plain(text) == wanted or plain(text) == wanted.removesuffix("[]")]
        found = found or [text for text in self.columns if plain(text).endswith(f".{wanted}")]
        if len(found) != 1:
            raise UserError(
                f"--column {role}={self.asked[role]}: {'several places are' if found else 'nothing is'} called so. "
                f"{nearest(self.asked[role], found or self.columns)}"
            )
        return found[0]


def resolve(sampled: Sampled) -> Roles:
    """The roles of the columns."""
    found = Roles()
    _result(sampled, found)
    _texts(sampled, found)
    _problems(sampled, found)
    taken = _taken(found)
    for role, fits in {
        "benchmark": judging.are_names,
        "arm": judging.are_arms,
        "seed": judging.are_whole,
        "step": judging.are_whole,
        "filter": judging.are_names,
    }.items():
        _take(sampled, found, role, fits, taken)
    if sampled.layout.wide is not None and "arm" not in sampled.asked:
        found.columns["arm"] = sampled.columns["{arm}"]
    _samples(sampled, found)
    _take(sampled, found, "tokens", judging.are_whole, taken)
    _take(sampled, found, "finish_reason", judging.are_texts, taken)
    return found


def _taken(found: Roles) -> list[str]:
    return [column.text for column in found.columns.values()]


def _take(
    sampled: Sampled, found: Roles, role: str, fits: Callable[[Values], bool], taken: Sequence[str] = ()
) -> str | None:
    """The surest column of a role, if there is one."""
    first = next(iter(sampled.ranked(role, fits, taken)), None)
    if first is not None:
        found.columns[role] = sampled.columns[first]
    return first


def _result(sampled: Sampled, found: Roles) -> None:
    """Right or wrong of each answer, or counts of each problem."""
    from benchmarks.marks import Mark

    words = {mark.value for mark in Mark}
    _take(sampled, found, "mark", lambda values: all(value in words for value in values))
    binary = [text for text in sampled.ranked("correct", judging.are_binary) if not _counts_more(sampled, text)]
    if metrics := _metrics(sampled):
        binary = [text for text in binary if plain(text) in metrics] or binary
    no_choice = "correct" in sampled.asked or len(binary) < 2
    chosen = binary[:1] if no_choice else _agreed(sampled, found, binary)
    if chosen:
        found.columns["correct"] = sampled.columns[chosen[0]]
    elif not found.rivals and "mark" not in found.columns:
        if signed := sampled.ranked("correct", judging.are_signed):
            found.columns["correct"], found.above = sampled.columns[signed[0]], True
            found.notes.append(f"`{signed[0]}` is a number; correct is what is above 0.")
        elif not _counts(sampled, found):
            found.odd = [text for text in sampled.ranked("correct", judging.are_numbers) if "[" not in text][:4]
            sure = [text for text in sampled.ranked("correct", judging.any_there) if _is_sure(sampled, text)]
            found.unusable = (sure or [""])[0]


def _metrics(sampled: Sampled) -> set[str]:
    """Names of results that rows list themselves."""
    path = sampled.family.metrics if sampled.family else ""
    return {str(v) for text, values in sampled.values.items() if path and plain(text) == path for v in values}


def _counts_more(sampled: Sampled, text: str) -> bool:
    """Whether it may be a count: a number beside how many samples there were."""
    if sampled.columns[text].where != "row" or any(isinstance(value, bool) for value in sampled.values[text]):
        return False
    totals = [t for t in sampled.ranked("num_samples", judging.are_whole) if t != text]
    return any(min(judging.whole(v) or 0 for v in sampled.values[t]) > 1 for t in totals) and not sampled.layout.lists


def _agreed(sampled: Sampled, found: Roles, binary: list[str]) -> list[str]:
    """The surest of several results, if those that are as sure say the same of every answer."""
    of_family = sampled.family.roles.get("correct", ()) if sampled.family else ()
    if any(matches(pattern, plain(binary[0])) and "{" not in pattern for pattern in of_family):
        return binary[:1]
    sure = [text for text in binary if _is_sure(sampled, text)] or binary
    told = {text: [judging.yes_or_no(value) for value in sampled.values[text]] for text in binary}
    different = [text for text in sure[1:] if told[text] != told[sure[0]]]
    if different:
        found.rivals = [sure[0], *different]
        return []
    return sure[:1]


def _is_sure(sampled: Sampled, text: str) -> bool:
    place = rank("correct", own_name(sampled.columns[text], sampled.layout))
    return place is not None and place < len(_SURE)


def _counts(sampled: Sampled, found: Roles) -> bool:
    """Of each problem how many answers there were, and how many or which share was correct."""
    if sampled.layout.lists or sampled.layout.wide is not None:
        return False
    for total in sampled.ranked("num_samples", lambda values: judging.are_whole(values, 1)):
        totals = [judging.whole(value) or 0 for value in sampled.values[total]]
        names = dict.fromkeys(
            [*sampled.ranked("num_correct", judging.are_whole), *sampled.ranked("correct", judging.are_whole)]
        )
        for text in names:
            counts = [judging.whole(value) or 0 for value in sampled.values[text]]
            if text != total and all(c <= n for c, n in zip(counts, totals, strict=True)):
                found.columns |= {"num_correct": sampled.columns[text], "num_samples": sampled.columns[total]}
                return True
        for text in sampled.ranked("pass_rate", judging.are_numbers):
            rates = [judging.number(value) or 0.0 for value in sampled.values[text]]
            pairs = zip(rates, totals, strict=True)
            if text != total and all(0 <= r <= 1 and abs(r * n - round(r * n)) < 1e-6 * n + 1e-9 for r, n in pairs):
                found.columns |= {"pass_rate": sampled.columns[text], "num_samples": sampled.columns[total]}
                return True
    return False


def _texts(sampled: Sampled, found: Roles) -> None:
    """Question, gold, response and answer."""
    taken = _taken(found)
    question = _take(sampled, found, "question", judging.are_texts, taken)
    response = _response(sampled, found, [*taken, question or ""])
    golds = sampled.ranked("gold", judging.any_there, [*taken, question or "", response or ""])
    answers = sampled.ranked("answer", lambda values: True, [*taken, question or "", response or ""])
    keys = sampled.values[question] if question else None
    steady = [text for text in golds if keys is None or judging.mostly_one_each(keys, map(str, sampled.values[text]))]
    named = [text for text in steady if text not in answers]
    if gold := next(
        iter(named or ([] if "gold" in sampled.asked else [t for t in steady if len(answers) > 1 or response])), None
    ):
        found.columns["gold"] = sampled.columns[gold]
    if answer := next((text for text in answers if text != gold), None):
        found.columns["answer"] = sampled.columns[answer]


def _response(sampled: Sampled, found: Roles, taken: Sequence[str]) -> str | None:
    """The model's text; one that is the same for all answers to a question was given with it."""
    texts = sampled.ranked("response", judging.are_texts, taken)
    if "response" not in sampled.asked and "question" in found.columns and len(texts) > 1:
        keys = sampled.values[found.columns["question"].text]
        texts = [text for text in texts if judging.several(keys, sampled.values[text])] or texts
    if texts:
        found.columns["response"] = sampled.columns[texts[0]]
    return texts[0] if texts else None


def _problems(sampled: Sampled, found: Roles) -> None:
    """An id, if it names one question each and each question has one; else the question itself."""
    text = found.columns.get("question")
    gold = found.columns.get("gold")
    taken = [c.text for role, c in found.columns.items() if role != "question"]
    ids = sampled.ranked("problem_id", judging.are_ids, taken)
    if "problem_id" in sampled.asked or (text is None and gold is None):
        if ids:
            found.columns["problem_id"] = sampled.columns[ids[0]]
        return
    values = {name: [str(value) for value in sampled.values[name]] for name in ids}
    golds = [str(v) for v in sampled.values[gold.text]] if gold else None
    if text is None:
        assert golds is not None
        if good := next((name for name in ids if judging.one_each(values[name], golds)), None):
            found.columns["problem_id"] = sampled.columns[good]
        return
    asked = sampled.values[text.text]
    for name in ids:
        # an id of a row, not of a problem, has a text but not the other way round
        if judging.one_each(values[name], asked) and judging.one_each(asked, values[name]):
            found.columns["problem_id"] = sampled.columns[name]
            return
        within = zip(sampled.files, values[name], strict=True)
        if (
            golds
            and judging.one_each(within, asked)
            and judging.one_each(values[name], golds)
            and _apart(sampled, asked)
        ):
            found.columns["problem_id"], found.templates = sampled.columns[name], True
            return
    if all(map(judging.is_there, asked)):
        found.columns["problem_id"], found.by_text = text, True


def _apart(sampled: Sampled, asked: Values) -> bool:
    """Whether no text is in two files: each file has a template of its own."""
    by: dict[Any, int] = {}
    return len(set(sampled.files)) > 1 and all(
        by.setdefault(text, file) == file for text, file in zip(asked, sampled.files, strict=True)
    )


def _samples(sampled: Sampled, found: Roles) -> None:
    """Numbers of the answers to a problem, if most are of one answer; else answers are numbered in their order."""
    problem = found.columns.get("problem_id")
    if problem is None or "num_samples" in found.columns:
        return
    beside = [found.columns[role].text for role in _OF_FILES if role in found.columns]
    keys = list(zip(sampled.files, *(sampled.values[name] for name in [problem.text, *beside]), strict=True))
    for text in sampled.ranked("sample", judging.are_whole, _taken(found)):
        pairs = [(key, judging.whole(value)) for key, value in zip(keys, sampled.values[text], strict=True)]
        constant = len({sample for _, sample in pairs}) == 1
        if "sample" in sampled.asked or 2 * len(set(pairs)) >= len(pairs) or not constant:
            found.columns["sample"] = sampled.columns[text]
            return
