"""The grammar of one mathematical expression: sums, products, powers, functions, numbers, letters.

Recursive descent, a token at a time, never back: sum > product (`*`, `/`) > juxtaposition > power > atom. Juxtaposition
binds tighter than a slash, x/2y is x/(2y), but after a fraction of two numbers: 1/2 x is half of x. What stands in
brackets is left to the subclass in `parser.py`, letters and commands to the one in `commands.py`.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from benchmarks.marking.latex import construction as values
from benchmarks.marking.latex.numerals import mixed_follows, repeating
from benchmarks.marking.latex.tokens import Foreign, Token, Unreadable, words

MOST_DEPTH = 60
"""of brackets in brackets"""
_TIMES = frozenset({"*", r"\cdot", r"\times", r"\ast"})
_DIVIDED = frozenset({"/", r"\div"})
_NO_OPERAND = words(
    r"\rfloor \rceil \rvert \rangle \} \cup \cap \setminus \backslash \in \notin \subset \subseteq \le \leq \leqslant "
    r"\ge \geq \geqslant \ne \neq \lt \gt \equiv \approx \sim \cong \pm \mp \pmod \bmod \mod \over \choose \circ "
    r"\degree \prime \to \rightarrow \ldots \dots \cdots \end{matrix} \mid \times \cdot \div \ast \\ \vert"
)
"""commands before which a juxtaposition ends"""


class ExpressionParser:
    """Reads tokens from the left; every method leaves `at` behind what it has read.

    All methods raise: Unreadable; Foreign; `construction.TooLarge`.
    """

    def __init__(self, tokens: list[Token], lazy: bool, sign: int):
        """
        Args:
            lazy: build everything with `evaluate=False`.
            sign: which of the two values a \\pm stands for, 1 or -1.
        """
        self.tokens, self.lazy, self.sign = list(tokens), lazy, sign
        self.at = self.depth = 0
        self.counts_with_i = any(
            token.text == "_" and "i" in (tokens[place + 1].text, tokens[min(place + 2, len(tokens) - 1)].text)
            for place, token in enumerate(tokens)
        )
        """a_i is there, so i is no imaginary unit"""
        self.rounded = False
        """met a decimal"""
        self.angles = 0
        """functions of angles that we are inside of"""
        self._bars = 0
        """that wait to be closed"""

    @property
    def text(self) -> str:
        return self.tokens[self.at].text

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def after(self, places: int = 1) -> Token:
        return self.tokens[min(self.at + places, len(self.tokens) - 1)]

    def take(self, text: str) -> bool:
        """Steps over the text if it is next."""
        if self.text != text or self.kind in ("word", "end"):
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise Unreadable

    def bracketed(self) -> Any:
        """What stands in round, square or curly brackets, which come next."""
        raise NotImplementedError

    def arguments(self) -> list[Any]:
        """What stands in the brackets that come next, item by item."""
        raise NotImplementedError

    def matrix(self) -> Any:
        """A matrix environment, which comes next."""
        raise NotImplementedError

    def letter(self) -> Any:
        """A letter or name, which comes next, with its index and primes."""
        raise NotImplementedError

    def indexed(self, letter: Any) -> Any:
        """A letter with the index that comes next."""
        raise NotImplementedError

    def command(self) -> Any:
        """A command, which comes next, with its arguments."""
        raise NotImplementedError

    def sum(self) -> Any:
        """Terms with signs between them."""
        terms = [self._signed(self.signs())]
        while self.text in ("+", "-", r"\pm", r"\mp") and isinstance(terms[-1], sympy.Expr | sympy.MatrixBase):
            terms.append(self._signed(self.signs()))
        return values.total(terms, self.lazy)

    def signs(self) -> int:
        """Of the signs that come next, any number of them."""
        sign = 1
        while self.text in ("+", "-", r"\pm", r"\mp"):
            sign *= {"+": 1, "-": -1, r"\pm": self.sign, r"\mp": -self.sign}[self.text]
            self.at += 1
        return sign

    def _signed(self, sign: int) -> Any:
        value = self._product()
        return value if sign > 0 else values.negative(value, self.lazy)

    def _product(self) -> Any:
        """Factors with signs of multiplication, division or remainder between them, or none."""
        start = self.at
        factors = [self._juxtaposed()]
        while True:
            if self.text in _TIMES:
                self.at += 1
                start = self.at
                factors.append(self._factor())
            elif self.text in _DIVIDED:
                fraction = self.tokens[start].kind == "number" and start == self.at - 1
                self.at += 1
                self.refuse_derivative(start)
                below = self.power() if fraction and self.kind == "number" else self._factor()
                factors[-1] = values.quotient(factors[-1], below, self.lazy)
                start = -1
            elif self.text in (r"\bmod", r"\mod"):
                self.at += 1
                factors = [values.remainder(values.product(factors, self.lazy), self._factor())]
            elif self.operand_follows():
                factors.append(self._juxtaposed())
            else:
                return values.product(factors, self.lazy)

    def _factor(self) -> Any:
        sign = self.signs()
        value = self._juxtaposed()
        return value if sign > 0 else values.negative(value, self.lazy)

    def refuse_derivative(self, above: int) -> None:
        """dy/dx is not y/x."""
        place = self.text == "{"
        below, variable = self.after(place), self.after(place + 1)
        if self.tokens[above].text == "d" == below.text and variable.kind in ("letter", "command"):
            raise Foreign

    def _juxtaposed(self) -> Any:
        factors = [self._one_factor()]
        while self.operand_follows():
            factors.append(self._one_factor())
        return values.product(factors, self.lazy)

    def _one_factor(self) -> Any:
        braced = self.text == "{"
        value = self.power()
        digits = self.kind == "number" or (self.text == "{" and self.after().kind == "number")
        if braced and digits and self.tokens[self.at - 1].text == "}":
            raise Unreadable  # {1}2 and {1}{2} are seen as 12
        return value

    def operand_follows(self) -> bool:
        """Whether what comes next is a factor, though no sign says so."""
        kind, text, _ = self.tokens[self.at]
        if kind in ("number", "repeating"):
            if self.tokens[self.at - 1].kind in ("number", "repeating", "letter", "name") and not self._power_follows():
                raise Unreadable  # two numbers side by side, or x2
            return True
        if kind in ("letter", "name"):
            return True
        if text == "{" and self.tokens[self.at - 1].kind == "number" and self.after().kind == "number":
            raise Unreadable  # 1{2} is seen as 12
        if kind == "command":
            return text not in _NO_OPERAND and not text.startswith(r"\end")
        if text == "(":
            return self.after().text not in (r"\bmod", r"\mod", "mod")
        return text in ("[", "{") or (text == "|" and not self._bars)

    def _power_follows(self) -> bool:
        """k 2^k, and 2^n 2^5: a power after a letter or an exponent."""
        letter = self.tokens[self.at - 1].kind in ("letter", "name")
        return self.after().text == "^" and (letter or self.tokens[self.at - 2].text == "^")

    def power(self) -> Any:
        """An atom with its exponents, factorials and degrees."""
        value = self.atom()
        while True:
            text = self.text
            if text == "^":
                self.at += 1
                value = self._degrees(value) if self._take_degree() else self._raised(value)
                if self.text == "_" and value.is_Pow:  # v^2_0
                    value = values.power(self.indexed(value.base), value.exp, self.lazy)
            elif text in ("!", "!!") and self.after().text not in ("!", "!!"):
                self.at += 1
                value = values.factorial(value, self.lazy, len(text))
            elif text == r"\degree":
                self.at += 1
                value = self._degrees(value)
            else:
                return value

    def _take_degree(self) -> bool:
        if self.text == "{" and self.after().text == r"\circ" and self.after(2).text == "}":
            self.at += 3
            return True
        return self.take(r"\circ")

    def _degrees(self, value: Any) -> Any:
        """Inside sine and its like an angle is a number; elsewhere degrees stay degrees, without their sign."""
        return values.product((value, S.Pi, sympy.Rational(1, 180)), self.lazy) if self.angles else value

    def _raised(self, base: Any) -> Any:
        return values.power(base, self.exponent(), self.lazy)

    def exponent(self) -> Any:
        """x^23 is x^{23}, as people type it; a^b^c is a^(b^c)."""
        sign = self.signs()
        value = self.atom()
        if self.take("^"):
            self.depth += 1
            if self.depth > MOST_DEPTH:
                raise Unreadable
            value = self._raised(value)
            self.depth -= 1
        return value if sign > 0 else values.negative(value, self.lazy)

    def atom(self) -> Any:
        """A number, a letter, a command with its arguments, or what stands in brackets."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise Unreadable
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            value = self._number()
        elif kind in ("letter", "name"):
            value = self.letter()
        elif kind == "command":
            value = self.command()
        elif kind == "repeating":
            self.at += 1
            value = repeating(text)
        elif kind == "sign" and text in ("(", "[", "{"):
            value = self.inside(self.bracketed)
        elif kind == "sign" and text == "|":
            value = self._bar()
        else:
            raise Unreadable
        self.depth -= 1
        return value

    def inside(self, read: Any) -> Any:
        """Bars that were opened outside of brackets do not close inside."""
        bars, self._bars = self._bars, 0
        value = read()
        self._bars = bars
        return value

    def _bar(self) -> Any:
        self.at += 1
        self._bars += 1
        value = values.scalar(self.sum())
        self.expect("|")
        self._bars -= 1
        return sympy.Abs(value, evaluate=not self.lazy)

    def _number(self) -> Any:
        text = self.text
        self.at += 1
        whole = text.isdigit()
        self.rounded |= not whole
        value = values.decimal(text, self.lazy)
        return (
            values.total((value, self._mixed()), self.lazy) if whole and mixed_follows(self.tokens, self.at) else value
        )

    def _mixed(self) -> Any:
        if self.kind == "command":
            return self.atom()
        above, below = int(self.text), int(self.after(2).text)
        self.at += 3
        return sympy.Rational(above, below)

    def argument(self) -> Any:
        r"""Of a command: what stands in braces, or one token; of a number one digit, as in \frac12."""
        kind, text, _ = self.tokens[self.at]
        if kind == "number" and text[:2].isdigit() and len(text) > 1:
            self.tokens[self.at] = Token("number", text[1:])
            return sympy.Integer(int(text[0]))
        return self.atom()
