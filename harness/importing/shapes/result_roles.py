"""Which column tells right from wrong, or counts of them."""

from __future__ import annotations

from typing import Any

from harness.base.errors import UserError
from harness.importing.metric_choice import choose
from harness.importing.shapes import judging
from harness.importing.shapes.flat import own_name
from harness.importing.shapes.paths import matches, plain, written
from harness.importing.shapes.sampled import Roles, Sampled, take
from harness.importing.shapes.vocabulary import NAMES, rank
from harness.records import DataError

_SURE = NAMES["correct"][: NAMES["correct"].index("grade")]
"""names of nothing but right or wrong; the others may be of rewards"""


def find_result(sampled: Sampled, found: Roles) -> None:
    """Right or wrong of each answer, or counts of each problem; of files with other metrics each by its own."""
    if sampled.layout.lists:
        found.together = [text for text in _results(sampled) if sampled.columns[text].where == "row"]
    if "wrong" in sampled.asked:
        _find_wrong(sampled, found)
        return
    groups = _by_metrics(sampled)
    if len(groups) < 2 or "correct" in sampled.asked:
        _find(sampled, found)
        return
    for files in groups:
        one = Roles()
        _find(sampled.of(files), one)
        found.rivals = found.rivals or one.rivals
        found.notes += [note for note in one.notes if note not in found.notes]
        if "correct" in one.columns and not one.two:
            found.results |= dict.fromkeys(files, one.columns["correct"])
        else:
            found.odd = found.odd or one.odd
            found.unusable = found.unusable or (one.odd or [""])[0]
    if found.results and not (found.odd or found.rivals):
        found.columns["correct"] = next(iter(found.results.values()))
    else:
        found.results.clear()


def _find_wrong(sampled: Sampled, found: Roles) -> None:
    """The column that says which answers are wrong, as the user says: no name alone turns a result."""
    if "correct" in sampled.asked or sampled.metrics:
        raise UserError("--column wrong=KEY names the result already: leave out --column correct=KEY and --metric.")
    (text,) = sampled.ranked("wrong", judging.any_there)
    if not judging.are_binary(sampled.values[text]):
        raise UserError(f"--column wrong={text}: its values must be 0 or 1, or words for them: 1 is a wrong answer.")
    _check_one_each(sampled, text)
    found.columns["correct"], found.inverted = sampled.columns[text], True
    found.notes.append(f"`{text}` says which answers are wrong: all others are correct.")


def _by_metrics(sampled: Sampled) -> list[list[int]]:
    """Files put together by the metrics that they have, where a tool calls them by names that are data."""
    names = list(_results(sampled))
    there: dict[int, set[str]] = {}
    for name in names:
        for file, value in zip(sampled.files, sampled.values[name], strict=True):
            if judging.is_there(value):
                there.setdefault(file, set()).add(name)
    groups: dict[frozenset[str], list[int]] = {}
    for file, found in there.items():
        groups.setdefault(frozenset(found), []).append(file)
    return list(groups.values())


def _results(sampled: Sampled) -> dict[str, str]:
    """Columns of a family's metrics, whose names are data -> those names."""
    patterns = [one for one in (sampled.family.roles.get("correct", ()) if sampled.family else ()) if "{" in one]
    found = [text for one in patterns for text in sampled.columns if matches(one, plain(text))]
    return {text: sampled.columns[text].path[-1] for text in found}


def _wanted(sampled: Sampled) -> str:
    """The column of the metric that the user wants. Raises: DataError that lists what there is."""
    results = _results(sampled) if sampled.family else {}
    # files of no known tool call everything that is right or wrong as they like
    results = results or {text: column.path[-1] for text, column in sampled.columns.items() if _may_tell(sampled, text)}
    names = {name: text for text, name in results.items() if judging.any_there(sampled.values[text])}
    values = {name: list(map(_as_number, sampled.values[text])) for name, text in names.items()}
    return names[choose(sampled.paths[sampled.files[0]], values, sampled.metrics)]


def _may_tell(sampled: Sampled, text: str) -> bool:
    return sampled.columns[text].where in ("row", "entry", "arm") and judging.are_binary(sampled.values[text])


def _as_number(value: Any) -> Any:
    """1 or 0 of what is right or wrong in words; all else as it is."""
    said = judging.yes_or_no(value)
    return value if said is None or isinstance(value, bool | int | float) else int(said)


def _check_one_each(sampled: Sampled, text: str) -> None:
    """Raises: DataError for one result of several answers: it says of none whether it is correct."""
    if sampled.layout.lists and sampled.columns[text].where == "row":
        place = written(sampled.layout.lists[0])
        raise DataError(
            f"{sampled.paths[sampled.files[0]]}: `{text}` is one result of all entries of `{place}` together, so it "
            "marks no single answer. `--mark` marks each with rence's own marker."
        )


def _find(sampled: Sampled, found: Roles) -> None:
    """Of files with the same metrics."""
    from benchmarks.marks import Mark

    if sampled.metrics:
        text = _wanted(sampled)
        _check_one_each(sampled, text)
        found.columns["correct"] = sampled.columns[text]
        return

    words = {mark.value for mark in Mark}
    take(sampled, found, "mark", lambda values: all(value in words for value in values))
    binary = [text for text in sampled.ranked("correct", judging.are_binary) if not _counts_more(sampled, text)]
    # what a tool calls its metrics goes before keys that are called like results
    binary = [text for text in binary if text in _results(sampled)] or binary
    no_choice = "correct" in sampled.asked or len(binary) < 2
    chosen = binary[:1] if no_choice else _agreed(sampled, found, binary)
    if chosen:
        _check_one_each(sampled, chosen[0])
        if rank("wrong", own_name(sampled.columns[chosen[0]], sampled.layout)) is not None:
            found.notes.append(
                f"`{chosen[0]}` is called like what is wrong; 1 is taken for correct, as the command says. --column "
                f"wrong={chosen[0]} takes 1 for wrong."
            )
        found.columns["correct"] = sampled.columns[chosen[0]]
    elif not found.rivals and "mark" not in found.columns:
        if signed := sampled.ranked("correct", judging.are_signed):
            found.columns["correct"] = sampled.columns[signed[0]]
            found.two = judging.two_numbers(sampled.values[signed[0]])
            found.notes.append(f"`{signed[0]}` is a number; correct is what is above 0.")
        elif not _counts(sampled, found):
            found.odd = [text for text in sampled.ranked("correct", judging.are_numbers) if "[" not in text][:4]
            sure = [text for text in sampled.ranked("correct", judging.any_there) if _is_sure(sampled, text)]
            found.unusable = (sure or [""])[0]


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
    # of metrics whose names are data none is surer than others
    named = _results(sampled)
    sure = [text for text in binary if text in named or _is_sure(sampled, text)] or binary
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
