"""Answers that a text states without a box: `#### 42`, `The answer is 42.`, `Final Answer: **42**`."""

from __future__ import annotations

import re
from typing import NamedTuple

from benchmarks.marking.responses import claims


class Statement(NamedTuple):
    """One answer that a text announces."""

    answer: str | None
    """None: it is withdrawn, as in `the answer is not 5`"""
    start: int


_SUBJECT = r"\banswers?\b(?:\s+(?:to|of|for)\b[^.:;\n]{0,60}?)?"
_IS = r"(?:is|are|was|equals?|would be|should be|must be|will be|becomes|comes? out (?:to be|as))\b"
_FILLED = r"(?:\s+(?:therefore|thus|then|hence|simply|just|indeed|exactly|clearly|obviously)\b,?)?"
_NOT = (
    r"(?:is|are|was)(?:n['’]t|\s+(?:not|no longer|never|neither|wrong|incorrect|unknown|unclear))\b"
    r"|can(?:not|['’]t)\s+be\b|\bcan not be\b"
)
_ANNOUNCED = re.compile(
    r"^[ \t>*]*\#{4}(?=(?P<marked>[^\n]{0,400}))"
    r"|<answer>(?P<tagged>(?:(?!</?answer>).){0,400})</answer>"
    rf"|{_SUBJECT}[*_`]*\s+(?P<withdrawn>{_NOT})"
    rf"|{_SUBJECT}[*_`]*(?:\s+{_IS}{_FILLED}\s*:?|\s*[:=])[*_`]*(?=(?P<said>[^\n]{{0,400}}))"
    r"|\bfinal\s+answer[*_`\s]*\n(?P<below>)"
    r"|^A:(?=(?P<short>[^\n]{0,400}))"
    r"|答案(?:是|为)?\s*[:：]?(?=(?P<chinese>[^\n]{0,400}))",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
"""what is said is looked ahead at, so that another announcement in it counts too"""
_GIVEN_UP = re.compile(
    r"\bI(?:['’]ll|\s+will|\s+have\s+to|\s+must)?\s+give\s+up\b|\b(?:do\s+not|don['’]t)\s+know\b|\bno\s+idea\b"
    r"|\b(?:cannot|can['’]t|can\s+not|could\s+not|couldn['’]t|unable\s+to|not\s+able\s+to|failed\s+to)\s+"
    r"(?:be\s+)?(?:solve|answer|determine|find|figure|compute|decide|tell|say|give|provide)"
    r"|\bnot\s+the\s+(?:final\s+|correct\s+|right\s+)?answer\b|\b(?:or\s+perhaps|or\s+maybe|perhaps|maybe)\s+not\b",
    re.IGNORECASE,
)


def given_up(text: str) -> int:
    """Where a text gives up or takes back for the last time; -1 if it does not."""
    return max((found.start() for found in _GIVEN_UP.finditer(text)), default=-1)


def statement(text: str) -> Statement | None:
    """The last answer that a text announces; one that is denied, taken back or cannot be read is withdrawn. None if it
    announces none."""
    withdrawn: Statement | None = None
    for found in reversed(list(_ANNOUNCED.finditer(text))):
        start = found.start()
        nothing = Statement(None, start)
        if found["withdrawn"] or claims.is_doubted(text, start) or _DENIED.match(said := _rest(text, found)):
            return nothing
        if claims.is_supposed(text, start):
            withdrawn = withdrawn or nothing
            continue
        value = _value(said)
        if value:
            return nothing if given_up(text) > start or _TAKEN_BACK.search(text, start) else Statement(value, start)
        sentence = found.group().rstrip(" *_`").endswith((":", "：", "\n")) or found["below"] is not None
        if not sentence and _MATHEMATICS.search(said) and not _NO_VALUE.fullmatch(_undressed(said)):
            withdrawn = withdrawn or nothing
    return withdrawn


_TAKEN_BACK = re.compile(
    r"(?:\b(?:this|that|it|which)|\$)\s+(?:is|was|must be)\s+(?:wrong|incorrect|false|not\s+(?:right|correct|true))\b",
    re.IGNORECASE,
)
_MATHEMATICS = re.compile(r"[0-9$\\]")
_DENIED = re.compile(r"[*_`\s]*(?:not|never|neither)\b", re.IGNORECASE)
_TRAILING = re.compile(r"(?:\s*(?:<\|[a-z_]+\|>\s*(?:user|assistant)?|I hope (?:it|this) is correct\.?))+\s*\Z")
_BREAK = re.compile(r"[.!?]\s+(?=[A-Z$\\(])")
_CONCLUDING = re.compile(
    r"(?i:\b(?:therefore|thus|hence|finally|answers?|results?|solutions?|conclu(?:de|des|sion))\b)"
    r"|\b(?:So|[Ww]e (?:get|find|obtain))\b"
)
_BOUNDS = re.compile(r"\b(?:between|at (?:least|most)|(?:more|less|fewer|greater) than)\b", re.IGNORECASE)
"""what is bounded is not told"""
_MOST_IN_ONE = 200


def conclusion(text: str) -> str | None:
    """Where an answer may be searched for that is not announced: a text of one sentence, or the last sentence from the
    word on that says that it concludes. None where the text does not come to a conclusion."""
    text = _TRAILING.sub("", text[-_MOST_CONCLUDED:])
    start: int | None = 0
    if len(text) > _MOST_IN_ONE or _BREAK.search(text):
        start = max((found.start() for found in _CONCLUDING.finditer(text)), default=None)
    if start is None or _BREAK.search(text, start) or _BOUNDS.search(text, start):
        return None
    return text[start:]


_LED_BY = re.compile(r"(?:\b(?:or|and|plus|minus|times|over|than|not|never|least|most)|[-+*/=,])\s*\Z", re.IGNORECASE)
_GOES_ON = re.compile(
    r"\s*(?:(?:choose|over|plus|minus|times|divided|multiplied|mod|or|and|to the|hundred|thousand|million|billion"
    r"|trillion|dozen)\b|[-+*/^=<>!_](?!\s*\Z))",
    re.IGNORECASE,
)
_FORMULA_MARK = re.compile(r"\\[(\[]|\\[)\]]|\$\$?")


def is_whole(within: str, answer: str) -> bool:
    """Whether what was searched for is all of a value where it stands: `5 choose two` and `6 or 5` hold a 5, and do not
    say 5."""
    place = within.rfind(answer)
    if place < 0:  # it was put in other words
        return True
    before, after = within[:place], within[place + len(answer) :]
    if len(_FORMULA_MARK.findall(before)) % 2:
        before, after = _FORMULA_MARK.split(before)[-2] if _opens(before) else "", _after_formula(after)
        return not _LED_TO.search(before) and not _DISMISSED.match(after)
    return not _LED_BY.search(before) and not _GOES_ON.match(after) and not _DISMISSED.match(after)


def _opens(before: str) -> bool:
    """Whether a formula opens right there, so that the words before it speak of all of it."""
    return not _FORMULA_MARK.split(before)[-1].strip()


def _after_formula(after: str) -> str:
    closing = _FORMULA_MARK.search(after)
    return after[closing.end() :] if closing else ""


_LED_TO = re.compile(
    r"\b(?:or|not|never|than|but|near|except|twice|half|double|triple|of|least|most|if|suppose|assume)\s*\Z",
    re.IGNORECASE,
)
_DISMISSED = re.compile(r"\s*(?:is|are|was)\s+(?:wrong|incorrect|false|impossible|not)\b|\s*or\b", re.IGNORECASE)


_MOST_CONCLUDED = 2000
_HOPE = re.compile(r"\s*\.?\s*I hope it is correct.*", re.DOTALL)
_SEVERAL_LINES = 300


def _rest(text: str, found: re.Match[str]) -> str:
    """What is announced: the rest of the line, or the next line that holds something."""
    if found["tagged"] is not None:
        return found["tagged"].strip()
    name = next(name for name in ("marked", "said", "short", "chinese", "below") if found[name] is not None)
    said = found[name].strip(" \t*_`:")
    if said in ("$", "$$", "\\[", "\\(") or not said or _open_formula(said):  # it goes on below
        following = text[found.start(name) : found.start(name) + _SEVERAL_LINES].lstrip(" \t\n*_`:")
        formula = _FORMULA.match(following)
        return formula.group() if formula else following.partition("\n")[0]
    return _HOPE.sub("", said)


def _open_formula(text: str) -> bool:
    return text.startswith(("\\[", "\\(", "$$")) and not _FORMULA.match(text)


_FORMULA = re.compile(r"(?:\$\$[^$]+\$\$|\$[^$]+\$|\\\(.*?\\\)|\\\[.*?\\\])(?:\s*(?:\\?%|percent|pct))?", re.DOTALL)
_NUMBER = re.compile(
    r"[-+−]?\\?\$?[0-9]+(?:,[0-9]{3})*(?![0-9])(?:\.[0-9]+)?(?:/[0-9]+)?(?:\s?\\?%)?(?![0-9A-Za-z^_*/(\\])"
)
_SENTENCE = re.compile(r"(?<=[^\s.])\.(?=\s|\Z)|(?<=[A-Za-z])!(?=\s|\Z)|\s*[;]\s")
_UNIT = re.compile(
    r"\s?(?!(?:and|or|but|times|plus|minus|over|choose|to|of|in|for|as|is|if|so|at|on|which|since|because|when|where|after|due"
    r"|by|given|therefore|hence|thus|meaning|per)\b)[A-Za-z]{1,12}(?=,|\s+(?:because|since|as|which|so)\b)"
)
_CLAUSE = re.compile(
    r"[*_`]*(?:,\s+(?!(?:and|or|pi|sqrt)\b)(?:I\b|[A-Za-z]{2})|\s+[–—-]\s|\s*(?:\Z|\*\*)"
    r"|,?\s+(?:because|since|as|which|so|for|when|where|if|after|due|by|given|therefore|hence|thus|meaning"
    r"|in (?:total|all)|altogether|overall)\b)"
)
"""what may follow a value that ends before its sentence does; `5 choose two` and `10 over three` go on"""
_NO_VALUE = re.compile(
    r"(?:not|never|no longer|neither|correct|right|wrong|incorrect|clear|obvious|above|below|unknown|unclear|there|here"
    r"|therefore|thus|then|this|that|what|given|found|obtained|simply|just|yours)\b[^=]*",
    re.IGNORECASE,
)


def _value(said: str) -> str | None:
    """The value at the start of what is announced: all of a short expression, or a number or formula before a clause.
    None where it is none, or a question."""
    said = _undressed(said)
    if not said or _NO_VALUE.fullmatch(said):
        return None
    sentence = _SENTENCE.split(said, maxsplit=1)[0].strip()
    if sentence.endswith("?"):
        return None
    found = _FORMULA.match(said) or _NUMBER.match(said)
    unit = _UNIT.match(said, found.end()) if found else None
    end = unit.end() if unit else found.end() if found else 0
    if found and _CLAUSE.match(said, end):
        return _undressed(said[:end])
    whole = _undressed(sentence)
    return whole if is_bare(whole) else None


def _undressed(text: str) -> str:
    """Without emphasis, quotes, an amount's dollar sign, a formula's end whose start stands before the announcement."""
    text = text.strip().strip('*_`"').strip()
    for opening, closing in (("\\[", "\\]"), ("\\(", "\\)"), ("**", "**")):
        if closing in text and opening not in text:
            text = text.partition(closing)[0].strip()
    if text.count("$") % 2 and text.startswith("$"):
        text = text[1:]
    elif text.count("$") % 2 and text.endswith("$"):
        text = text[:-1]
    return text.rstrip("*_` ").removesuffix(".").strip()


_COMMAND = re.compile(
    r"\\(?:begin|end)\{[a-z]+\*?\}|\\(?:text|mathrm|mbox|textbf|operatorname)\{[^{}]*\}|\\[A-Za-z]+|[{}]"
)
_LONG_WORD = re.compile(r"[A-Za-z]{3,}(?![A-Za-z(])")
"""but a function, as programs write it"""
_MOST_BARE = 300


def is_bare(text: str) -> bool:
    """Whether a text is one expression, perhaps with a unit, and no sentence."""
    if not text or len(text) > _MOST_BARE:
        return False
    if _FORMULA.fullmatch(text.rstrip(".")):
        return True
    if "$" in text.replace("\\$", "").strip("$") or "\\(" in text or "\\[" in text:
        return False
    return len(_LONG_WORD.findall(_COMMAND.sub(" ", text))) <= 1
