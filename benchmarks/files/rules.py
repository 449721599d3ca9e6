"""What a line of a file says about its answer, read in the same way wherever lines are read: `rule`, `tolerance`, and a
gold that is text or a number."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from typing import Any

from benchmarks.files import cleaning
from benchmarks.marks import Form, Rule

MOST_TOLERANCE = 0.5
"""relative: beyond it a number would equal half of itself"""
MOST_CHARACTERS = 10_000
"""of a gold: the longest of the benchmarks has 210"""


class LineMistake(Exception):
    """What is wrong with one line: the kind, the same words for the same mistake, and what differs."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}{detail}")
        self.kind = kind


def rule_of(row: Mapping[str, Any], default: Rule) -> Rule:
    """The row's own rule: what its `rule` and `tolerance` say, each where it is there and not null.

    Args:
        default: what the others say that know nothing of the row.
    Raises: LineMistake.
    """
    word, tolerance = row.get("rule"), row.get("tolerance")
    form = default.form if word is None else _form(word)
    return Rule(form, default.tolerance if tolerance is None else _tolerance(tolerance))


def _form(word: Any) -> Form:
    if isinstance(word, str) and word in tuple(Form):
        return Form(word)
    close = difflib.get_close_matches(word, list(Form), n=1) if isinstance(word, str) else []
    near = f". Did you mean `{close[0]}`?" if close else ""
    raise LineMistake(f"`rule` must be one of {', '.join(Form)}", f", but is {_shown(word)}{near}")


def _tolerance(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_TOLERANCE:
        raise LineMistake(f"`tolerance` must be a number from 0 to {MOST_TOLERANCE}", f", but is {_shown(value)}")
    return float(value)


def text_of(key: str, value: Any) -> str:
    """Text without blanks around it; a number as it is written in a text.

    Raises: LineMistake for another type, a number that is not finite, and a text that is empty.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LineMistake(f"`{key}` must be text or a number", f", but is {_shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise LineMistake(f"`{key}` must be a finite number", f", but is {value}")
    text = (cleaning.scientific(repr(value)) or repr(value)) if isinstance(value, float) else str(value).strip()
    if not text:
        raise LineMistake(f"`{key}` is empty")
    return text


def check_text(key: str, text: str) -> None:
    """Raises: LineMistake if it holds half of a pair, which no file can."""
    if any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise LineMistake(f"`{key}` holds half of a surrogate pair")


def check_gold(key: str, gold: str, form: Form) -> None:
    """Raises: LineMistake if a gold is too long to be one or no text, or one of multiple choice no letter."""
    from benchmarks.marking.responses.choices import letter

    check_text(key, gold)
    if len(gold) > MOST_CHARACTERS:
        raise LineMistake(f"`{key}` is longer than {MOST_CHARACTERS:,} characters", f": it has {len(gold):,}")
    if form is Form.CHOICE and not letter(gold):
        raise LineMistake(f"`{key}` of multiple choice must be a letter, A to J", f", but is {_shown(gold)}")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{text[:40]}`"
