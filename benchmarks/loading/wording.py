"""One form of a problem's text for all the ways to set and to word the same statement.

What stays is, in its order, every number as its runs of digits, every command of TeX, every letter that stands alone
but a and i (which may be words), and of the signs `+ - * / < > = !`; and the words that carry a meaning, each cut after
five letters. Brackets, `^`, `_`, `|` and the points and commas in numbers do not stay, for sets write them in too many
ways: `x^2+1` and `x_2+1` have one form, and so have 1.5 and 1,5. What goes, too, is layout, forum codes such as `[i]`,
and the small words around ("the", "such that", "find", "suppose").

So one form is no proof that two texts say the same. It was good enough for the sets there are: every pair with two
answers among 29,555 problems to train on was read. Sharing most runs of tokens does not do for that: it finds mostly
problems that ask for another thing about the same figure. Words of scripts without blanks between them, such as
Chinese, stay whole.
"""

from __future__ import annotations

import re
import unicodedata

STEM = 5
"""letters: `labeled` and `labelled`, `choose` and `choosing` begin alike, as few others do"""

_FORUM = re.compile(r"\[/?(?:i|b|u|list|img|hide|center|size|color|url)\b[^\]]*\]", re.IGNORECASE)
_TOKEN = re.compile(r"\\[A-Za-z]+|[0-9]+|[^\W\d_]+|[-+*/<>=!]")
_SAME = {"dfrac": "frac", "tfrac": "frac", "leq": "le", "geq": "ge", "leqslant": "le", "geqslant": "ge"}
_LAYOUT_WORDS = """
left right bigl bigr big mathbb mathbf mathrm mathcal text textbf textit textrm mbox displaystyle limits quad
qquad cdot times dots ldots cdots operatorname begin end align aligned array cases overline hspace vspace
"""
_SMALL_WORDS = """
a an the that so such of to for is are be was were find compute determine calculate evaluate what your answer
please give value his her its their this these those it with where which who and let if then as in on at by from
there we have has had i b u also can could will would suppose supposed
"""
_LAYOUT, _SMALL = frozenset(_LAYOUT_WORDS.split()), frozenset(_SMALL_WORDS.split())


def wording(text: str) -> str:
    """The form; equal for two texts that say the same in other words, and seldom for others."""
    plain = unicodedata.normalize("NFKC", _FORUM.sub(" ", text))
    mathematics, words = [], []
    for token in _TOKEN.findall(plain):
        name = token.removeprefix("\\")
        if token != name:
            if name not in _LAYOUT:
                mathematics.append(f"\\{_SAME.get(name, name)}")
        elif not name.isalpha() or (len(name) == 1 and name not in "aAiI"):  # a and i may be words
            mathematics.append(name)
        elif (word := name.casefold()) not in _SMALL and word not in _LAYOUT:
            words.append(word[:STEM] if word.isascii() else word)
    return " ".join((*mathematics, "|", *words))
