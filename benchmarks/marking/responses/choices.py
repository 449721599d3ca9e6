"""Letters of multiple choice, A to J: in boxes, and announced in sentences."""

from __future__ import annotations

import re
from typing import NamedTuple

from benchmarks.marking.responses import claims
from benchmarks.marking.verdicts import Verdict

LETTERS = tuple("ABCDEFGHIJ")
_FONT = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:bf|rm|it|sf)|mbox|bold(?:symbol)?)(?![A-Za-z])\s*")
_LOOKS = re.compile(r"\\(?:left|right|quad|qquad|[,;:! ])|[*_`$~{}\"]|\\[()\[\]]")
_NAMED = re.compile(
    r"(?:the )?(?:(?:final|correct|best|right) )?(?:answer|option|choice)s?(?: choice)?\s*(?::|is|=)?\s*", re.I
)
_LETTER = re.compile(r"(?:\((?P<round>[A-Ja-j])\)|\[(?P<square>[A-Ja-j])\]|(?P<alone>[A-Ja-j]))(?![A-Za-z0-9'’])")
_JOINED = re.compile(r"\s*(?:,|;|/|&|\+|\b(?:and|or)\b|,\s*(?:and|or)\b)\s*(?:(?:option|choice)\s+)?", re.I)


class Letters(NamedTuple):
    """What was read."""

    letters: tuple[str, ...]
    """capital; several are no single answer"""
    start: int
    """where in the text"""

    @property
    def text(self) -> str:
        return ", ".join(self.letters)


def letter(text: str) -> str | None:
    """The one letter that a text is, such as `(E)`, `\\text{E: the text of the option}` or `b`; None if it is none, or
    several."""
    found = letters(text)
    return found[0] if len(found) == 1 else None


def compare(answer: str, gold: str) -> Verdict:
    """Whether an answer is the letter of its gold."""
    given, wanted = letters(answer), letter(gold)
    if wanted is None:
        return Verdict(False, "the gold is no letter")
    if len(given) != 1:
        return Verdict(False, f"more than one letter: {', '.join(given)}" if given else "the answer is no letter")
    return Verdict(True, "") if given[0] == wanted else Verdict(False, f"the letters differ: {given[0]} and {wanted}")


def letters(text: str) -> tuple[str, ...]:
    """The letters that the content of a box is: alone, joined by `or`, `and` or commas, or before the option's text."""
    plain = _plain(text)
    named = _NAMED.match(plain)
    rest = plain[named.end() :] if named else plain
    first = _LETTER.match(rest)
    if not first:
        return tuple(rest) if re.fullmatch(r"[A-J]{2,5}", rest) and _is_rising(rest) else ()
    found, end = _several(rest, first)
    after = rest[end:]
    if len(found) > 1 or not after.strip(" .,:;)"):
        return found
    # the option's text stands behind a sign: `E: ...`, `E) ...`, `E. ...`, `(E) ...`; `E = mc^2` is no letter
    bracketed = first["alone"] is None
    return found if re.match(r"\s*[:)]|\.\s|\s+[-–—]\s", after) or (bracketed and after[:1].isspace()) else ()


def _is_rising(text: str) -> bool:
    return list(text) == sorted(set(text))


def _plain(text: str) -> str:
    """Without fonts, dollar signs, emphasis and braces."""
    return " ".join(_LOOKS.sub(" ", _FONT.sub("", text)).replace("( ", "(").replace(" )", ")").split())


def _several(text: str, first: re.Match[str]) -> tuple[tuple[str, ...], int]:
    """The letters from the first on that stand together, each once, and where they end."""
    found, end = [first], first.end()
    while True:
        joint = _JOINED.match(text, end) or re.compile(r"\s*(?=[(\[])").match(text, end)
        following = _LETTER.match(text, joint.end()) if joint else None
        if following is None or (joint and joint.group().strip() == "," and _is_subject(text[following.end() :])):
            break
        found.append(following)
        end = following.end()
    names = dict.fromkeys((one["round"] or one["square"] or one["alone"]).upper() for one in found)
    return tuple(names), end


def _is_subject(after: str) -> bool:
    """Whether a letter is what a next clause speaks of: `B, C is wrong`."""
    return bool(re.match(r"\s+[a-z]", after))


_SUBJECT = r"(?:answer|option|choice)s?(?:\s+(?:choice|option|letter))?"
_OF = r"(?:\s+(?:to|of|for|among|from|here|that)\b[^.:;\n]{0,60}?)?"
_IS = r"(?:is|are|was|would be|should be|must be|will be)"
_FILLED = r"(?:(?:therefore|thus|clearly|indeed|most likely|probably),?\s+)?(?:(?:the\s+)?(?:option|choice|letter)\s+)?"
_ANNOUNCED = re.compile(
    rf"(?:\b{_SUBJECT}{_OF}[*_`\s]*(?:\s{_IS}\b\s*:?|:|=|\*\*|\n|(?=\())|<answer>|\#{{4}}|答案(?:是|为)?)[\s:：]*{_FILLED}",
    re.IGNORECASE,
)
"""up to the letter"""
_SHOWN = r"[(\[*$]{0,4}[A-J][)\]*$]{0,4}"
_RIGHT = r"(?:correct|right|best)"
_CONFIRMED = re.compile(
    rf"(?P<at>{_SHOWN})\s+is\s+(?:therefore\s+|thus\s+)?(?:the\s+)?(?:only\s+|single\s+|most\s+)?{_RIGHT}\s+"
    r"(?:answer|option|choice|one)\b"
    rf"|\b(?:[Oo]ption|[Cc]hoice)\s+(?P<named>{_SHOWN})\s+is\s+(?:therefore\s+)?(?:the\s+)?{_RIGHT}\b(?!\s+(?!because|since|as)[a-z])"
    r"|\bI(?:['’]d| would)?\s+(?:choose|pick|select|go with)\s+(?:(?:option|choice|answer)\s+)?"
    rf"(?P<chosen>{_SHOWN})(?=[\s.,;!]|\Z)"
    r"|\b(?:[Tt]hus|[Ss]o|[Hh]ence|[Tt]herefore|[Ff]inally),?\s+(?:the\s+)?(?:answer\s+)?(?:choice|option)\s+"
    rf"(?P<concluded>{_SHOWN})(?=[\s.*]*(?:\Z|\n))"
)
"""`B is the correct answer`, `option B is correct`, `I choose B`"""
_DECORATION = re.compile(r"(?:[\s*_`$\"']|\\text(?:bf)?\{|\\math(?:bf|rm)\{|\\boxed\{|\\[(\[])*")
_CLAUSE = r"because|since|as|for|which|due|based|given|so|with|if|when|where|by|but|is|was|that|in|on"
_ENDS = re.compile(
    r"[*_`$\"'}\s]*(?:\\[)\]])?[*_`\s]*"
    rf"(?:\Z|\n|[,;:!)—–]|\.(?![A-Za-z0-9])|-\s|</|(?<=\s)(?:{_CLAUSE})\b|(?<=[)\]*$}}]))"
)
"""what may follow an announced letter; `A person` and `B cells` are words"""


def announced(text: str) -> Letters | None:
    """The letter, or the letters, that a text announces last; None if it announces none."""
    found = [one for match in _ANNOUNCED.finditer(text) if (one := _after(text, match))]
    for match in _CONFIRMED.finditer(text):
        place = next(name for name in ("at", "named", "chosen", "concluded") if match[name])
        held = letters(match[place])
        if held:
            found.append(Letters(held, match.start(place)))
    return max(found, key=lambda one: one.start) if found else None


def _after(text: str, announcement: re.Match[str]) -> Letters | None:
    if claims.is_supposed(text, announcement.start()) or claims.is_doubted(text, announcement.start()):
        return None
    start = _decorated(text, announcement.end())
    first = _LETTER.match(text, start)
    if not first or (first["alone"] or "A").islower():
        return None
    found, end = _several(text[: start + 80], first)
    if len(found) == 1 and not _ENDS.match(text, end) and text[end - 1] not in ")]":
        return None
    if text[end : end + 1] == "?":
        return None
    return Letters(found, start)


def _decorated(text: str, start: int) -> int:
    found = _DECORATION.match(text, start)
    return found.end() if found else start


_BARE = re.compile(r"[\s*_`$]*(?:[A-J]|\([A-Ja-j]\)|\[[A-J]\])[\s*_`$.]*")
_OPTION = re.compile(r"[\s*_]*(?:\([A-J]\)|[A-J][.):])\s+\S[^\n]{0,300}\s*")


def bare(text: str) -> Letters | None:
    """Of a text that is a letter, or one option with its letter, or that ends with a line that is a letter."""
    last = text.rstrip().rpartition("\n")[2]
    for part in (text, last):
        if len(part) < 400 and (_BARE.fullmatch(part) or (part is text and _OPTION.fullmatch(part))):
            found = letters(part)
            return Letters(found, text.rfind(last)) if found else None
    return None
