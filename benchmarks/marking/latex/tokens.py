"""The words of a mathematical text: numbers, letters, commands, signs. Linear in the length of the text.

A run of letters is cut here: `xy` is two letters, `sinx` a function and a letter, `ABC` three letters, and `five` is a
word, which no expression holds.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Unreadable(Exception):
    """The text is no expression."""


class Foreign(Exception):
    """The text holds something that our grammar does not have, such as an integral."""


class Token(NamedTuple):
    kind: str
    """number, repeating, letter, name (one symbol of several letters), word (none), command, sign; end"""
    text: str
    tight: bool = False
    """no space before it"""


_NUMBER = (
    r"(?:(?<![0-9],)[1-9][0-9]{0,2}(?:(?:,|\{,\}|\\,|\\ |\ )[0-9]{3})+(?!,?[0-9])|[0-9]+)"
    r"(?:\.[0-9]+|\.(?=[-+*/^)]))?(?:[eE][+-]?[0-9]+(?![0-9.]))?"
    r"|\.[0-9]+(?:[eE][+-]?[0-9]+)?"
)
_FONTS = r"\\(?:text(?:bf|it|rm|normal|sf|tt)?|math(?:rm|bf|it|sf|cal|scr|frak)|mbox|boldsymbol|bm|operatorname\*?)"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\\[,;:>!\ ]|~|\\?\$|\\(?:[bB]igg?[lrm]?|displaystyle|textstyle|limits|nolimits)(?![A-Za-z])
        |\\q?quad|(?<![A-Za-z])(?:np|math|sympy)\.(?=[a-z\\]))
    |(?P<side>\\(?:left|right)(?![A-Za-z])\s*(?:\\(?:[lr]vert|vert)(?![A-Za-z])|[|.])?)
    |(?P<repeating>[0-9]*\.[0-9]*(?:\\overline\s*(?:\{{[0-9]+\}}|[0-9])|\\(?:bar|dot)\s*(?:\{{[0-9]+\}}|[0-9])
        (?:[0-9]*\\dot\s*(?:\{{[0-9]\}}|[0-9]))?|\([0-9]+\)))
    |(?P<number>{_NUMBER})
    |(?P<font>{_FONTS}\s*\{{[^{{}}]*\}})
    |(?P<environment>\\(?:begin|end)\s*\{{[a-zA-Z]+\*?\}})
    |(?P<command>\\[A-Za-z]+|\\[{{}}\\|])
    |(?P<letters>[A-Za-z]+)
    |(?P<sign>\*\*|<=|>=|!=|!!|[-+*/^_=<>()\[\]{{}}|,;!&':])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_UNICODE = {
    "−": "-", "–": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": "/",
    "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "±": r"\pm ", "∓": r"\mp ", "∅": r"\emptyset ", "°": r"^\circ ", "√": r"\surd ", "∛": r"\cbrt ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ",
    "≡": r"\equiv ", "≈": r"\approx ", "∖": r"\setminus ", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}", "’": "'", "′": "'", "″": "''", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}",
    "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ",
    "ε": r"\epsilon ", "ζ": r"\zeta ", "η": r"\eta ", "θ": r"\theta ", "κ": r"\kappa ", "λ": r"\lambda ", "μ": r"\mu ",
    "ν": r"\nu ", "ξ": r"\xi ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ϕ": r"\phi ",
    "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ", "Γ": r"\Gamma ", "Δ": r"\Delta ", "Θ": r"\Theta ", "Λ": r"\Lambda ",
    "Σ": r"\Sigma ", "Φ": r"\Phi ", "Ψ": r"\Psi ", "Ω": r"\Omega ",
}  # fmt: skip
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_LOWERED = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_LEVEL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ₀₁₂₃₄₅₆₇₈₉", "0123456789-+n0123456789")
_SIGNS = str.maketrans(_UNICODE)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GREEK = words(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Sigma Upsilon Phi Psi Omega ell hbar"
)
PROGRAM_FUNCTIONS = words(
    "sin cos tan cot sec csc tg ctg cosec asin acos atan acot asec acsc arcsin arccos arctan arccot arcsec arccsc "
    "sinh cosh tanh coth sech csch asinh acosh atanh arcsinh arccosh arctanh arsinh arcosh artanh exp log ln lg sqrt "
    "cbrt abs floor ceil ceiling max min gcd lcm pow factorial binomial sgn sign Re Im"
)
"""read without a backslash"""
_CONSTANTS = {"pi": r"\pi", "inf": r"\infty", "infinity": r"\infty", "oo": r"\infty"}
_GREEK_WORDS = words("alpha beta gamma delta epsilon zeta theta kappa lambda sigma omega phi psi rho tau")
_STUCK = re.compile(r"([a-zA-Z]?)(arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|log|ln)([a-z]?)")
_STUCK_PI = re.compile(r"pi([a-zA-Z])")
_STUCK_COMMAND = re.compile(
    r"(\\(?:(?:arc)?(?:sin|cos|tan|cot|sec|csc)(?!h|ec)|(?:sin|cos|tan)h|log|ln|cdot|times|infty|pm(?!od)|mp|cup|cap"
    rf"|[lr]floor|[lr]ceil|[lr]vert|le(?!q|ft)|ge(?!q)|ne(?!q|g)|(?:var)?(?:pi|{'|'.join(sorted(GREEK))})))([a-zA-Z]+)"
)
"""before what lost its blank"""
_TWICE = re.compile(r"\\\\(?=[a-z])")
_VOWELS = re.compile("[aeiouAEIOU]")
_SHORT_WORDS = words(
    "is of or to if no do so go we on the and for not now how two one six ten yes nan all any mod may but by add abs"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_JOINING = words("and or if where for when with is to not otherwise mod")


def tokens(text: str) -> list[Token]:
    """The tokens of a text, then one of kind `end`.

    Raises: Unreadable: a sign that no expression has.
    """
    if not text.isascii():
        text = _ascii(text)
    if "\\\\" in text and r"\begin" not in text:  # escaped twice
        text = _TWICE.sub(r"\\", text)
    found: list[Token] = []
    tight = False
    depth = 0
    for match in _TOKEN.finditer(text.rstrip(". ")):
        kind, written = match.lastgroup or "other", match.group()
        if kind == "space":
            tight = False
            continue
        if kind == "letters":
            found += _letters(written, text[match.end() : match.end() + 1])
        elif kind == "command":
            depth += (written == r"\{") - (written == r"\}")
            found += _command(written)
        elif kind == "font":
            found.append(_in_font(written))
        elif kind == "side":
            found += _side(written)
        elif kind == "number":
            found += _number(written, depth)
        elif kind == "environment":
            found.append(Token("command", "".join(written.split())))
        elif kind == "other":
            raise Unreadable
        else:
            depth += (written in ("(", "[")) - (written in (")", "]"))
            found.append(Token(kind, "^" if written == "**" else written, tight))
        tight = True
    found.append(Token("end", ""))
    return found


def _ascii(text: str) -> str:
    text = _RAISED.sub(lambda found: f"^{{{found.group().translate(_LEVEL)}}}", text)
    text = _LOWERED.sub(lambda found: f"_{{{found.group().translate(_LEVEL)}}}", text)
    return unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)


def _number(written: str, depth: int) -> list[Token]:
    """A comma inside of brackets parts items, and so it does in 12,345,6."""
    if "," in written and "{,}" not in written and "\\," not in written and depth > 0:
        pieces: list[Token] = []
        for part in written.split(","):
            pieces += [Token("number", part), Token("sign", ",")]
        return pieces[:-1]
    return [Token("number", re.sub(r"\{,\}|\\,|[\\ ,]", "", written))]


def _side(written: str) -> list[Token]:
    if not written.endswith(("|", "vert")):
        return []
    return [Token("command", r"\lvert" if written.startswith(r"\left") else r"\rvert")]


def _in_font(written: str) -> Token:
    command, _, rest = written.partition("{")
    name = rest[:-1].strip(" ~")
    if not _NAME.fullmatch(name) or name.lower() in _JOINING:
        return Token("word", name)
    if name in PROGRAM_FUNCTIONS:
        return Token("command", f"\\{name}")
    if len(name) == 1 and not command.strip().startswith((r"\mathbf", r"\boldsymbol", r"\bm", r"\textbf")):
        return Token("letter", name)
    return Token("name", name)


def _command(written: str) -> list[Token]:
    r"""\sinx, which lost its blank, is \sin x."""
    stuck = _STUCK_COMMAND.fullmatch(written)
    if not stuck:
        return [Token("command", written)]
    return [Token("command", stuck[1]), *_letters(stuck[2], "")]


def _letters(run: str, following: str) -> list[Token]:
    if len(run) == 1:
        return [Token("letter", run, True)]
    if run in PROGRAM_FUNCTIONS:
        return [Token("command", f"\\{run}")]
    if run in _CONSTANTS:
        return [Token("command", _CONSTANTS[run])]
    if run in _GREEK_WORDS:
        return [Token("command", f"\\{run}")]
    stuck = _STUCK.fullmatch(run)
    if stuck:
        before, function, after = stuck.groups()
        return [*_letters_of(before), Token("command", f"\\{function}"), *_letters_of(after)]
    stuck = _STUCK_PI.fullmatch(run)
    if stuck:
        return [Token("command", r"\pi"), *_letters_of(stuck[1])]
    if not _is_product(run[:-1] if run.endswith("e") and following == "^" else run):
        return [Token("word", run)]
    return _letters_of(run)


def _letters_of(run: str) -> list[Token]:
    return [Token("letter", letter, True) for letter in run]


def _is_product(run: str) -> bool:
    """Rather than a word: capitals, two letters, the order of the alphabet, or no vowel."""
    if run.lower() in _SHORT_WORDS and not (len(run) == 2 and run.isupper()):
        return False
    if len(run) <= 2 or sum(letter.isupper() for letter in run) >= 2:
        return True
    return list(run) == sorted(run) or not _VOWELS.search(run)
