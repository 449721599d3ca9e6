"""Where the final answer is: one function, `extract`, and three ways to read.

A response is asked for a box, and `Reading.BOX` takes nothing else. `Reading.RULE` reads as the set's rule does: of
multiple choice also an announced letter. `Reading.ANYWHERE` is for texts that nobody asked for a box, such as other
people's outputs. Thinking is never searched, whatever the reading.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from benchmarks.marking.responses import boxes, choices, stated
from benchmarks.marking.responses.boxes import last_box
from benchmarks.marking.responses.thinking import without_thinking
from benchmarks.marks import Form, Reading

__all__ = ["Extraction", "Place", "Reading", "extract", "last_box", "without_thinking"]


class Place(StrEnum):
    """Where an answer was found."""

    BOX = "box"
    STATED = "stated"
    BARE = "bare"
    """the whole text is the answer"""
    SEARCHED = "searched"
    """nowhere else: Math-Verify looks for one"""


_CONCLUSION = "final answer is"


class Extraction(NamedTuple):
    """An answer, or why there is none."""

    answer: str | None
    place: Place | None = None
    """SEARCHED without an answer: it is still to be looked for"""
    reason: str = ""
    """why there is none; or what stands beside the answer"""
    others: tuple[str, ...] = ()
    """of a box: what it and the boxes hold that stand together with it at the end; empty if it stands alone"""
    within: str = ""
    """where to search"""


def extract(response: str, reading: Reading, form: Form = Form.MATHS) -> Extraction:
    """The final answer of a response. A last box that is open or empty withdraws what stood before it.

    Raises: nothing, whatever the response holds.
    """
    text = without_thinking(response).strip()
    if not text:
        return Extraction(None, reason="nothing follows the thinking" if response.strip() else "the response is empty")
    if form is Form.CHOICE and reading is not Reading.BOX:
        return _choice(text)
    found = _boxed(text)
    if reading is not Reading.ANYWHERE:
        return found or Extraction(None, reason="there is no box")
    return _anywhere(text, found)


@lru_cache(maxsize=1)  # a response is read three times, one reading after the other
def _boxed(text: str) -> Extraction | None:
    """Of the last box; None if there is none."""
    there = boxes.boxes(text)
    if not there:
        return None
    if there[-1].end is None:
        return Extraction(None, Place.BOX, "the last box is open")
    held = boxes.content(text, there[-1])
    if not held:
        return Extraction(None, Place.BOX, "the last box is empty")
    if boxes.denied(text, there[-1]):
        return Extraction(None, Place.BOX, "the last box is denied")
    if len(there) == 1:
        return Extraction(held, Place.BOX)
    either = r" \text{ or } ".join(boxes.alternatives(text, there))
    return Extraction(either, Place.BOX, others=tuple(boxes.together(text, there)))


def _anywhere(text: str, boxed: Extraction | None) -> Extraction:
    """The last box; else what the text states; else all of a bare expression; else where to search."""
    if boxed and boxed.reason == "the last box is open":
        return boxed
    last = boxes.boxes(text)[-1] if boxed else None
    said = stated.statement(text[last.after :] if last else text)
    if boxed and boxed.answer is not None:
        # Only a conclusion in full goes before a box, as in answers to Minerva's prompt.
        concluded = said and said.answer and _CONCLUSION in text[last.after if last else 0 :].lower()
        return Extraction(said.answer, Place.STATED) if said and concluded else boxed
    if said:
        return Extraction(said.answer, Place.STATED, "" if said.answer else "the answer is taken back")
    if boxed:
        return boxed
    if stated.given_up(text) >= 0:
        return Extraction(None, reason="the text gives up")
    if stated.is_bare(text):
        return Extraction(text, Place.BARE)
    within = stated.conclusion(text)
    if within is None:
        return Extraction(None, reason="the text comes to no conclusion")
    return Extraction(None, Place.SEARCHED, within=within)


def _choice(text: str) -> Extraction:
    """The letter in the last box; else of what is announced and of earlier boxes the last."""
    there = boxes.boxes(text)
    found = _boxed(text)
    if found and found.reason == "the last box is open":
        return found
    withdrawn = found is not None and found.answer is None  # by an empty box, or one that is denied
    said = choices.announced(text[there[-1].after :] if withdrawn else text)
    lettered = [
        (box.start, held) for box in there if not withdrawn and (held := choices.letters(boxes.content(text, box)))
    ]
    if found and found.answer and (held := choices.letters(found.answer)):
        return _letters(held, Place.BOX)
    if said and (not lettered or said.start > lettered[-1][0]):
        return _letters(said.letters, Place.STATED)
    if lettered:
        return _letters(lettered[-1][1], Place.BOX)
    alone = None if there else choices.bare(text)
    if alone:
        return _letters(alone.letters, Place.BARE)
    return found or Extraction(None, reason="no letter is boxed or announced")


def _letters(letters: tuple[str, ...], place: Place) -> Extraction:
    return Extraction(", ".join(letters), place, "more than one letter" if len(letters) > 1 else "")
