"""What keeps files from being imported as they are, all of it at once, and the command that settles it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.base.errors import UserError
from harness.importing.shapes import judging
from harness.importing.shapes.arm_columns import pattern_of
from harness.importing.shapes.recognise import FoundShape, PeekedFile
from harness.importing.shapes.vocabulary import rank
from harness.records import DataError

_MOST = 12
MOST_LOOKED_AT = 50
_MOST_FILES = 4
_COMMA = re.compile(r"-?\d+,\d+")
_WORD = re.compile(r"[a-z]+ ")


@dataclass(frozen=True)
class Command:
    """What was typed."""

    paths: Sequence[str]
    rest: Sequence[str] = ()
    """options with their values"""

    def with_words(self, words: Sequence[str], paths: Sequence[str] | None = None) -> str:
        return shlex.join(["rence", "import", *(paths or self.paths), *self.rest, *words])


@dataclass
class Missing:
    """What is not known."""

    reasons: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """options that settle it"""
    paths: list[str] | None = None
    """in place of those that were typed"""
    guesses: bool = True
    """whether the options settle all of it"""

    def add(self, reason: str, *words: str) -> None:
        """One thing more, and the options that settle it."""
        self.reasons.append(reason)
        self.words += words
        self.guesses &= bool(words)

    def check(self, where: str, command: Command) -> None:
        """Raises: UserError with all of it, if anything is missing."""
        if self.reasons:
            end = f"\nThis says it: {command.with_words(self.words, self.paths)}" if self.guesses else ""
            first, *others = self.reasons
            said = " ".join([first, *(one[0].upper() + one[1:] if _WORD.match(one) else one for one in others)])
            raise UserError(f"{where}: {said}{end}")


def check_answered(responses: int, unanswered: int) -> None:
    """Raises: DataError if our marker, which nobody asked for, found no answer at all."""
    if responses and responses == unanswered:
        raise DataError(
            f"nothing says which answers are correct, and rence's marker finds no answer in a box in any of the "
            f"{responses:,} responses.\nAdd --mark --reading anywhere for answers without a box, or say with --column "
            "what tells the result."
        )


def beside(files: Sequence[PeekedFile], used: Sequence[PeekedFile]) -> list[str]:
    """Which files were read and hold no answers of this kind. Raises: DataError for one that is empty."""
    left = [str(one.source.path) for one in files if all(one is not other for other in used)]
    if empty := [str(one.source.path) for one in files if not one.documents]:
        more = f" (and {len(empty) - 1:,} more files)" if len(empty) > 1 else ""
        raise DataError(f"{empty[0]} is empty{more}. Whose answers are missing is not known: complete or remove it.")
    if not left:
        return []
    more = f" and {len(left) - _MOST_FILES:,} more" if len(left) > _MOST_FILES else ""
    return [f"Not taken, for they hold no answers, or answers of another kind: {', '.join(left[:_MOST_FILES])}{more}."]


def of_shape(shape: FoundShape, missing: Missing, marks_anew: bool) -> None:
    """What no value of its answers tells.

    Args:
        marks_anew: whether our marker was asked for.
    """
    roles = shape.roles.columns
    marked = {"correct", "mark", "num_samples"} & roles.keys()
    if marks_anew and not {"response", "gold"} <= roles.keys():
        missing.add(_unmarkable(shape))
    # of a tool's metrics that contradict each other none is needed where our marker marks
    elif shape.roles.rivals and not (marks_anew and shape.family):
        missing.add(_rivals(shape.roles.rivals, shape.family is None))
    elif not marked and not marks_anew and shape.roles.together:
        named = " and ".join(f"`{name}`" for name in shape.roles.together)
        missing.add(
            f"{named} say of all answers to a problem together what came of them, so they mark no single answer. "
            "rence's marker can mark each.",
            "--mark",
        )
    elif not marked and not {"response", "gold"} <= roles.keys():
        _result(shape, missing)
    elif not marked and shape.roles.unusable and not marks_anew:
        missing.add(
            f"`{shape.roles.unusable}` is neither right nor wrong ({_shown(shape, shape.roles.unusable)}), so which "
            f"answers are correct is not known. {_above(shape)} rence's marker can mark the texts.",
            "--mark",
        )
    elif not marked and not marks_anew and (name := _unread_marks(shape)):
        missing.add(
            f"`{name}` holds lists of true and false, which may say which answers are correct, but the answers "
            "that were found are not in such lists. rence's marker can mark those instead.",
            "--mark",
        )
    if shape.roles.no_id is not None:
        _no_id(shape, *shape.roles.no_id, missing)
    elif "problem_id" not in roles:
        if found := guess(shape, "problem_id"):
            missing.add("no key is known to tell the problem.", "--column", f"problem_id={found}")
        else:
            missing.add(f"nothing tells which problem an answer is to. There is {_there(shape)}.")


def _unmarkable(shape: FoundShape) -> str:
    """What our marker, which was asked for, needs and there is not."""
    words = {"response": "no texts of answers", "gold": "no right answers"}
    lacks = [name for name in words if name not in shape.roles.columns]
    named = " and ".join(f"--column {name}=KEY" for name in lacks)
    other = "" if not {"correct", "mark", "num_samples"} & shape.roles.columns.keys() else (
        " Without --mark the source's own results count."
    )  # fmt: skip
    return (
        f"there are {' and '.join(words[name] for name in lacks)}, so rence's marker cannot mark (--mark). If "
        f"they are there under other names: {named}. There is {_there(shape)}.{other}"
    )


def _no_id(shape: FoundShape, name: str, other: str, missing: Missing) -> None:
    """An id that is the same for many problems, or another in every row."""
    ids, values = shape.sampled.columns[name], shape.sampled.columns[other]
    many = len(set(map(str, values)))
    if len(set(map(str, ids))) < many:
        said = f"`{name}` is the same for different values of `{other}`, of which there are {many:,}"
    else:
        said = f"`{name}` is another in every row, while arms share the values of `{other}`"
    role = "question" if judging.are_texts(values) else "problem_id"
    missing.add(
        f"{said}. So it does not seem to tell the problem; if it does: --column problem_id={name}.",
        "--column",
        f"{role}={other}",
    )


def _rivals(names: Sequence[str], may_be_arms: bool) -> str:
    """Both readings of results that differ: of two markers, or of two arms. Neither is preferred."""
    named = " and ".join(f"`{name}`" for name in names)
    choices = " or ".join(f"--column correct={name}" for name in names)
    said = f"the results {named} contradict each other. If they are of several markers, say which one counts: {choices}"
    arms = pattern_of(names) if may_be_arms else ""
    return f"{said}. If they are of several arms: --column 'correct={arms}'." if arms else f"{said}."


def _result(shape: FoundShape, missing: Missing) -> None:
    """Nothing says which answers are correct: what might, and a command only if it makes no other number."""
    odd = shape.roles.odd
    if odd:
        values = _values(shape, odd[0])
        said = f"`{odd[0]}` is neither right nor wrong ({_shown(shape, odd[0])}), so which answers are correct is not"
        # a number is named only where one divides right from wrong: a command that is a guess may make a wrong number
        if (middle := judging.divide(values)) is not None:
            missing.add(f"{said} known.", "--column", f"correct={odd[0]}", "--correct-above", f"{middle:g}")
        elif judging.are_mixed(values):
            missing.add(f"{said} known. {judging.MIXED}")
        else:
            missing.add(
                f"{said} known. If each number is of one answer, --column correct={odd[0]} --correct-above X says "
                "above which X it is correct. Means of several answers need a column that says how many there were."
            )
    elif unusable := _unusable_result(shape):
        missing.add(f"{unusable}, so which answers are correct is not known.")
    elif wrong := _wrong(shape):
        missing.add(
            f"nothing says which answers are correct. `{wrong}` may say which are wrong, if 1 (or true) "
            "there is a wrong answer and no failed request.",
            "--column",
            f"wrong={wrong}",
        )
    elif found := guess(shape, "correct"):
        missing.add("no key is known to say which answers are correct.", "--column", f"correct={found}")
    else:
        lacks = [name for name in ("response", "gold") if name not in shape.roles.columns]
        missing.add(
            f"nothing says which answers are correct, and without {' and '.join(lacks)} they cannot be marked. "
            f"If one of these says it, --column correct=KEY: {_there(shape)}."
        )


def _unusable_result(shape: FoundShape) -> str:
    """What is wrong with a place that is called like a result and was not taken for one; empty if there is none."""
    for text, values in shape.sampled.columns.items():
        column = shape.columns[text]
        if column.where == "header" or rank("correct", column.path) is None:
            continue
        if not judging.any_there(values):
            return f"`{text}` is empty in every row that was looked at"
        if any(_COMMA.fullmatch(value.strip()) for value in values if isinstance(value, str)):
            return f"`{text}` holds numbers with a decimal comma ({_shown(shape, text)}), which must be a point"
    return ""


def _wrong(shape: FoundShape) -> str:
    """A place that is called like what went wrong and is right or wrong; empty if there is none."""
    named = [text for text in shape.sampled.columns if rank("wrong", shape.columns[text].path) is not None]
    return next((text for text in named if judging.are_binary(shape.sampled.columns[text])), "")


def _unread_marks(shape: FoundShape) -> str:
    """A list of marks in rows whose answers are somewhere else; empty if there is none."""
    found: dict[str, bool] = {}
    for one in shape.files:
        for _, _, rows in one.rows(MOST_LOOKED_AT):
            for _, _, row in rows:
                for key, value in row.items() if isinstance(row, dict) else ():
                    if isinstance(value, list) and len(value) > 1 and (key,) not in shape.layout.lists:
                        found[key] = found.get(key, True) and all(isinstance(mark, bool) for mark in value)
    return next((key for key, are_marks in found.items() if are_marks), "")


def _above(shape: FoundShape) -> str:
    if judging.are_mixed(_values(shape, shape.roles.unusable)):
        return judging.MIXED
    return f"--column correct={shape.roles.unusable} --correct-above X says above which number;"


def _values(shape: FoundShape, name: str) -> list[str]:
    return sorted({str(value) for value in shape.sampled.columns[name] if value is not None})


def _shown(shape: FoundShape, name: str) -> str:
    values = _values(shape, name)
    odd = [value for value in values if judging.yes_or_no(value) is None]
    values = list(dict.fromkeys([*odd, *values]))
    return ", ".join(value[:40] for value in values[:5]) + (", ..." if len(values) > 5 else "")


def guess(shape: FoundShape, role: str) -> str | None:
    """A key whose values could have a role, whatever it is called; None if there is none, or several."""
    taken = {column.text for column in shape.roles.columns.values()}
    fits = judging.are_binary if role == "correct" else judging.are_ids
    found = [
        text
        for text, values in shape.sampled.columns.items()
        if text not in taken and shape.columns[text].where != "header" and fits(values)
        and (role != "correct" or len({judging.yes_or_no(v) for v in values}) == 2)
        and (role != "problem_id" or len(set(map(str, values))) > 1)
    ]  # fmt: skip
    return found[0] if len(found) == 1 or (found and role == "problem_id") else None


def _there(shape: FoundShape) -> str:
    names = [name for name in shape.columns if name and shape.columns[name].where != "header"]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(f"`{name}`" for name in names[:_MOST]) + more
