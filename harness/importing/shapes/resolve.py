"""Which column has which role: by a family's paths, then by names, and always by what the values are.

Where values contradict a name, the next name is asked; where two names for the result contradict each other, neither is
taken, and the user is asked. So a key that is missing or renamed leads to the same numbers or to a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.importing.shapes import judging, not_ids
from harness.importing.shapes.flat import RecordColumn
from harness.importing.shapes.result_roles import find_result
from harness.importing.shapes.sampled import OF_FILES, Roles, Sampled, Values, take, taken_by
from harness.importing.shapes.vocabulary import name_benchmarks
from harness.records import START


def resolve(sampled: Sampled) -> Roles:
    """The roles of the columns."""
    found = Roles()
    find_result(sampled, found)
    _texts(sampled, found)
    _problems(sampled, found)
    not_ids.drop(sampled, found)
    taken = taken_by(found)
    for role, fits in {
        "benchmark": judging.are_names,
        "arm": judging.are_arms,
        "seed": judging.are_whole_or_none,
        "step": judging.are_whole,
        "filter": judging.are_names,
    }.items():
        take(sampled, found, role, fits, taken)
    seeds, arms = ([*sampled.values[found.columns[r].text]] if r in found.columns else [] for r in ("seed", "arm"))
    if seeds and not any(map(judging.is_there, seeds)) and START not in arms:
        del found.columns["seed"]  # empty is the untrained model's; of others it says nothing
    _keys(sampled, found)
    if sampled.layout.wide is not None and "arm" not in sampled.asked:
        found.columns["arm"] = sampled.columns["{arm}"]
    _samples(sampled, found)
    take(sampled, found, "tokens", judging.are_whole, taken)
    take(sampled, found, "finish_reason", judging.are_texts, taken)
    return found


def _texts(sampled: Sampled, found: Roles) -> None:
    """Question, gold, response and answer."""
    taken = taken_by(found)
    question = take(sampled, found, "question", judging.are_texts, taken)
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
    if ids and sampled.family and sampled.family.content == ids[0] and _tells_texts(sampled, ids[0], text):
        # prompts to one problem may differ between files
        found.columns["problem_id"], found.templates = sampled.columns[ids[0]], True
        return
    if (
        text is not None
        and sampled.family
        and sampled.family.by_text
        and all(map(judging.is_there, sampled.values[text.text]))
    ):
        found.columns["problem_id"], found.by_text = text, True
        return
    values = {name: [str(value) for value in sampled.values[name]] for name in ids}
    golds = [str(v) for v in sampled.values[gold.text]] if gold else None
    if text is None:
        assert golds is not None
        sets = [sampled.sets[file] for file in sampled.files]
        if good := next((n for n in ids if judging.one_each(zip(sets, values[n], strict=True), golds)), None):
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


def _tells_texts(sampled: Sampled, name: str, text: RecordColumn | None) -> bool:
    """Whether each hash has one text in a file, as those of content have."""
    keys = zip(sampled.files, sampled.values[name], strict=True)
    return text is None or judging.one_each(keys, sampled.values[text.text])


def _keys(sampled: Sampled, found: Roles) -> None:
    """Of objects whose keys are data: problems if rows do not name them; else arms if keys have problems in common, or
    benchmarks if they have none."""
    for text, column in sampled.columns.items():
        if column.where != "key" or text == "{arm}":
            continue
        if "problem_id" not in found.columns:
            found.columns["problem_id"] = column
            continue
        problems: dict[str, set[str]] = {}
        for key, problem in zip(sampled.values[text], sampled.values[found.columns["problem_id"].text], strict=True):
            problems.setdefault(str(key), set()).add(str(problem))
        if len(problems) > 1 and any(len(one) > 1 for one in problems.values()):
            first, *others = problems.values()
            role = "arm" if any(first & one for one in others) and not name_benchmarks(problems) else "benchmark"
            if role not in sampled.asked:
                found.columns[role] = column


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
    beside = [found.columns[role].text for role in OF_FILES if role in found.columns]
    keys = list(zip(sampled.files, *(sampled.values[name] for name in [problem.text, *beside]), strict=True))
    for text in sampled.ranked("sample", judging.are_whole, taken_by(found)):
        pairs = [(key, judging.whole(value)) for key, value in zip(keys, sampled.values[text], strict=True)]
        constant = len({sample for _, sample in pairs}) == 1
        if "sample" in sampled.asked or 2 * len(set(pairs)) >= len(pairs) or not constant:
            found.columns["sample"] = sampled.columns[text]
            return
