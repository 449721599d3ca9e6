"""Words around a value: the closed list of those that may stand before it, and words that are values themselves."""

from __future__ import annotations

import re

_LEAD = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|and so|we (?:get|have|find|obtain|conclude)(?: that)?)\b"
    r"|it follows that\b"
    r"|(?:my |the |our |a )?(?:(?:final|correct|required|desired|exact|simplified|maximum|minimum|largest|smallest"
    r"|greatest|least|maximal|minimal|total|common|only|possible|expected) ){0,3}"
    r"(?:answer|result|value|solutions?|total|sum|probability|area|number|length|maximum|minimum|product|difference"
    r"|quotient|remainder|perimeter|volume|radius|diameter|distance|height|width|angle|ratio|average|mean|median|limit"
    r"|integral|function|graph|curve|determinant|slope|cost|price|speed|degree|fraction)"
    r"(?: to the (?:problem|question))?"
    r"\s*(?:(?:is|are|was|equals|equal to|will be|would be|should be|must be)\b|:|=)"
    r"|ans(?:wer)?\s*[:.=]"
    r"|(?:it|this|that|which) (?:is|equals|gives)\b|(?:is )?(?:equals?|equal)(?: to)?\b|is\b"
    r"|(?:approximately|approx\.?|about|roughly|around|exactly|nearly|precisely|simply)(?![a-z])"
    r"|there (?:are|is)\b|a total of\b|(?:all|the) (?:values|solutions) (?:of|for) )"
    r"\s*[:,]?\s*(?:(?:given by|equal to|as follows|that)\b\s*:?\s*)?",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"(?:not|n't|no|never|neither|none|nothing|cannot|unknown|undefined|wrong|false)\b", re.IGNORECASE
)
_ANY_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|none|cannot|unless|wrong|incorrect|false|except|without)\b|n't\b", re.IGNORECASE
)
_EQUALS = re.compile(r"^(\\text\{ *)?([A-Za-z])(?:\})? (?:\\text\{ *)?(?:equals|is equal to|is)\b *(?:\})?(?=.)")
_TEXT_FIRST = re.compile(r"\\text\{([^{}]*)\}\s*")
_MOST_LEADS = 4


def negated(text: str) -> bool:
    """Whether a word takes back what the others say."""
    return bool(_ANY_NEGATION.search(text))


_VALUE_OF = re.compile(
    r"(?:\\text\{ *)?(?:so |thus |therefore,? |hence,? )?(?:the )?(?:possible )?(?:values?|solutions?) (?:of|for) *\}?"
    r" *"
    r"(\\text\{)?([A-Za-z])\}? *(?:\\text\{)? *(?:is|are|=|equals|:) *\}? *(?=\S)",
    re.IGNORECASE,
)


def without_lead(text: str) -> str:
    """A tidy text without the words before its value, in `\\text{...}` or plain; whole if a negation follows them."""
    if not text or not (text[0].isalpha() or text.startswith("\\text{")):
        return text
    rest = _VALUE_OF.sub(r"\2=", text, count=1) if _VALUE_OF.match(text) else text
    for _ in range(_MOST_LEADS):
        inside = _TEXT_FIRST.match(rest)
        words = inside[1].strip() if inside else rest
        lead = _LEAD.match(words)
        if not lead:
            break
        after = words[lead.end() :].strip()
        if inside:
            after = f"\\text{{{after}}} {rest[inside.end() :]}" if after else rest[inside.end() :]
        after = after.strip()
        if not after or _NEGATION.match(after.removeprefix("\\text{").strip()):
            return text
        rest = after
    rest = _EQUALS.sub(r"\2=", rest).lstrip(":= ")
    return text if not rest or _NEGATION.match(rest.partition("=")[2].strip()) else rest


_YES_OR_NO = "yes no true false odd even none never always both neither"
YES_OR_NO = frozenset(_YES_OR_NO.split(" "))
_SAME = {"dne": "does not exist", "limit does not exist": "does not exist", "correct": "correct"}
_ARTICLE = re.compile(r"^(?:an?|the) ")
_BLANKS = re.compile(r"[\s{}.~]+|\\text")


def spoken(text: str) -> str:
    """Words for comparing: in lower case where case tells nothing, without blanks."""
    words = " ".join(_BLANKS.sub(" ", text).split())
    lower = words.lower()
    if words.isupper() and len(words) > 1 and lower not in YES_OR_NO and lower not in _SAME:
        return words.replace(" ", "")  # a name, such as ABCD
    return _SAME.get(lower, _ARTICLE.sub("", lower)).replace(" ", "")


EMPTY = frozenset(
    {
        *(f"{lead}no {kind}{plural}" for lead in ("", "there is ", "there are ")
          for kind in ("solution", "real solution") for plural in ("", "s")),
        "no real roots", "no such solution", "no solution exists", "no solutions exist", "empty set", "the empty set",
    }
)  # fmt: skip
REALS = frozenset(
    {
        *(f"{lead}real{noun}" for lead in ("all ", "the ", "every ", "any ", "the set of ", "the set of all ", "")
          for noun in ("s", " number", " numbers", " values")),
        "all x",
    }
)  # fmt: skip
"""as they are read aloud"""
EXCEPT = re.compile(
    r"^(?:\\mathbb\{R\}|(?:\\text\{)?\s*(?:the set of )?(?:all |every |any )?(?:the )?real(?: numbers?|s)?(?: values?)?"
    r"(?: (?:of )?x)?|all (?:values (?:of )?)?x)\s*(?:\\text\{)?\s*,?\s*"
    r"(?:except(?: for)?|other than|excluding|but(?: not)?|not equal to|besides|\\ne|\\text\{except\})"
    r"\s*\}?\s*(.+?)\}?$",
    re.IGNORECASE,
)
"""all real numbers except ..."""


def plain_words(text: str) -> str:
    """A text read aloud: without `\\text`, braces and double blanks, in lower case."""
    return " ".join(_BLANKS.sub(" ", text).lower().split())


_WORD = re.compile(r"(?<![\\A-Za-z_{])[A-Za-z]{2,}")
_FUNCTIONS = re.compile(
    r"(?:a?(?:sin|cos|tan|cot|sec|csc)|arc|log|ln|exp|max|min|gcd|lcm|mod|det|lim|sum|sqrt|floor|ceil|abs|binom|frac|deg)"
)
_SMALL_WORD = re.compile(r"(?:^| )(?:is|not|no|and|or|of|to|in|at|if|by|the|an|as|it|be|we|so|but)(?: |$)")


def is_words(text: str) -> bool:
    """Whether a word of a language is among the letters of a tidy text."""
    if r"\text{" in text or _SMALL_WORD.search(text):
        return True
    for found in _WORD.finditer(text):
        word = found.group()
        if word.lower() in YES_OR_NO:
            return True
        if len(word) >= 4 and any(vowel in word.lower() for vowel in "aeiou") and not _FUNCTIONS.match(word):
            return not word.isupper()
    return False
