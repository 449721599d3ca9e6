"""The grammar of letters and commands: names with their indices, fractions, roots, functions with and without
brackets."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import S

from benchmarks.marking.latex import construction as values
from benchmarks.marking.latex.construction import FUNCTIONS, INVERTIBLE, OF_ANGLES, OF_MANY, symbol
from benchmarks.marking.latex.expression import ExpressionParser
from benchmarks.marking.latex.numerals import FRACTIONS
from benchmarks.marking.latex.tokens import GREEK, Foreign, Unreadable, words

_BINOMIALS = frozenset({r"\binom", r"\dbinom", r"\tbinom"})
_ACCENTS = frozenset({r"\hat", r"\vec", r"\tilde", r"\dot", r"\ddot", r"\widehat", r"\widetilde", r"\underline"})
_AROUND = {
    r"\lfloor": (r"\rfloor", FUNCTIONS["floor"]),
    r"\lceil": (r"\rceil", FUNCTIONS["ceil"]),
    r"\lvert": (r"\rvert", sympy.Abs),
    r"\vert": (r"\vert", sympy.Abs),
}
_CONSTANTS = {
    r"\pi": S.Pi,
    r"\infty": S.Infinity,
    r"\emptyset": S.EmptySet,
    r"\varnothing": S.EmptySet,
}
_NUMBER_SETS = {"R": S.Reals, "Z": S.Integers, "N": S.Naturals, "Q": S.Rationals, "C": S.Complexes}
_LOGARITHMS = {"log": sympy.Integer(10), "ln": S.Exp1, "lg": sympy.Integer(10)}
_CALLED = frozenset("fghFGH")
"""functions before any bracket; other letters are before a single letter alone: P(x), but P(1+r) is a product"""
_FOREIGN = words(r"\int \iint \iiint \oint \sum \prod \lim \partial \det \forall")
"""of which latex2sympy2_extended reads some"""
_ENDS_ARGUMENT = frozenset({"(", "[", "|", r"\lvert", r"\sqrt", r"\begin"})
"""after a letter: \\sin x (y+1) is (y+1) sin x"""


class CommandParser(ExpressionParser):
    """See the base class for what methods do and raise."""

    def letter(self) -> Any:
        kind, text, _ = self.tokens[self.at]
        self.at += 1
        name = self._decorated(text)
        if name == text and kind == "letter" and (text == "e" or (text == "i" and not self.counts_with_i)):
            return S.Exp1 if text == "e" else S.ImaginaryUnit
        return self._called(name) if self._is_call(text) else symbol(name)

    def indexed(self, letter: Any) -> Any:
        if not letter.is_Symbol:
            raise Unreadable
        return symbol(self._decorated(letter.name))

    def _decorated(self, name: str) -> str:
        """With its index and its primes or star."""
        while True:
            if self.take("_"):
                name += f"_{self._index()}"
            elif self.take("'"):
                name += "'"
            elif self.text == "^" and self._mark():
                name += {r"\prime": "'", "'": "'"}.get(self._mark(), "*")
                self.at += 4 if self.after().text == "{" else 2
            else:
                return name

    def _mark(self) -> str:
        """A prime or star that stands as an exponent."""
        braced = self.after().text == "{"
        mark = self.after(2 if braced else 1).text
        closed = not braced or self.after(3).text == "}"
        ends = mark != "*" or braced or self.after(2).text in ("", ")", ",", "=", "+", "-", "_")
        return mark if mark in (r"\prime", "'", "*") and closed and ends else ""

    def _index(self) -> str:
        """As text, without layout: x_{1}, x_1; v_{\\mathrm{max}}, v_{max}."""
        depth, texts = 0, []
        while True:
            kind, text, _ = self.tokens[self.at]
            if kind == "end":
                raise Unreadable
            self.at += 1
            depth += (text == "{") - (text == "}")
            if depth < 0:
                raise Unreadable
            texts.append("" if text in ("{", "}") else text.removeprefix("\\"))
            if depth == 0:
                break
        index = "".join(texts)
        if not index:
            raise Unreadable
        return index

    def _is_call(self, letter: str) -> bool:
        if self.text == "^" and letter in _CALLED:
            return [self.after(place).text for place in range(1, 6)] == ["{", "-", "1", "}", "("]
        if self.text != "(":
            return False
        inner, closing = self.after(), self.after(2)
        is_letter = inner.kind == "letter" or inner.text[1:] in GREEK
        if letter in _CALLED or (closing.text == "," and (is_letter or inner.kind == "number")):
            return True
        return closing.text == ")" and (is_letter or (inner.kind == "number" and letter.isupper()))

    def _called(self, name: str) -> Any:
        if self.take("^"):
            self.at += 4
            name += "^-1"
        return values.undefined(name)(*self.arguments())

    def command(self) -> Any:
        text = self.text
        self.at += 1
        name = text[1:]
        if name in FUNCTIONS or name in _LOGARITHMS:
            return self._function(name)
        if text in FRACTIONS:
            return self._fraction()
        if text in (r"\sqrt", r"\surd", r"\cbrt"):
            return self._root(text)
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if name.removeprefix("var") in GREEK:
            self.at -= 1
            return self._greek(name.removeprefix("var"))
        if text in _BINOMIALS:
            return values.binomial(self.argument(), self.argument(), self.lazy)
        if text in _AROUND:
            return self.inside(lambda: self._around(*_AROUND[text]))
        if text in (r"\{", r"\langle"):
            self.at -= 1
            return self.inside(self.bracketed)
        if text.startswith(r"\begin"):
            self.at -= 1
            return self.inside(self.matrix)
        return self._rare(text)

    def _rare(self, text: str) -> Any:
        if text == r"\mathbb":
            closing = self.take("{")
            name = self.text
            self.at += 1
            if closing:
                self.expect("}")
            if name not in _NUMBER_SETS or self.text in ("^", "_"):
                raise Unreadable
            return _NUMBER_SETS[name]
        if text in (r"\bar", r"\overline"):
            return self._conjugate()
        if text in _ACCENTS:
            return self._accented(text[1:])
        if text in (r"\boxed", r"\fbox", r"\displaystyle"):
            return self.argument()
        if text in (r"\factorial", r"\binomial", r"\pow"):
            return self._of_program(text)
        raise Foreign if text in _FOREIGN else Unreadable

    def _accented(self, accent: str) -> Any:
        braced = self.take("{")
        letter = self.text.removeprefix("\\")
        if self.kind not in ("letter", "name") and letter not in GREEK:
            raise Unreadable
        self.at += 1
        name = f"{accent}({self._decorated(letter) if braced else letter})"
        if braced:
            self.expect("}")
        name = self._decorated(name)
        return self._called(name) if self._is_call(letter) else symbol(name)

    def _greek(self, name: str) -> Any:
        self.at += 1
        decorated = self._decorated(name)
        if decorated == "Gamma" and self.text == "(":
            (argument,) = self.arguments()
            return values.gamma(argument, self.lazy)
        return self._called(decorated) if self._is_call(name) else symbol(decorated)

    def _of_program(self, text: str) -> Any:
        arguments = self.arguments()
        if len(arguments) != (1 if text == r"\factorial" else 2):
            raise Unreadable
        return {r"\factorial": values.factorial, r"\binomial": values.binomial, r"\pow": values.power}[text](
            *arguments, self.lazy
        )

    def _conjugate(self) -> Any:
        """The bar over a complex number is its conjugate, over other letters part of a name, a mean or a segment."""
        start = self.at
        value = self.argument()
        if any(token.text in ("z", "i", "w") for token in self.tokens[start : self.at]):
            return sympy.conjugate(values.scalar(value), evaluate=not self.lazy)
        inner = [token for token in self.tokens[start : self.at] if token.text not in ("{", "}")]
        if not all(token.kind in ("letter", "name") for token in inner):
            raise Unreadable
        return symbol(self._decorated(f"bar({''.join(token.text for token in inner)})"))

    def _fraction(self) -> Any:
        start = self.at + (self.text == "{")
        above = self.argument()
        self.refuse_derivative(start)
        return values.quotient(above, self.argument(), self.lazy)

    def _root(self, text: str) -> Any:
        degree: Any = sympy.Integer(3 if text == r"\cbrt" else 2)
        if text == r"\sqrt" and self.take("["):
            degree = self.sum()
            self.expect("]")
        value = self.argument() if text == r"\sqrt" and self.kind != "number" else self.atom()
        return values.root(values.scalar(value), degree, self.lazy)

    def _around(self, closing: str, function: Any) -> Any:
        value = values.scalar(self.sum())
        self.expect(closing)
        return function(value, evaluate=not self.lazy)

    def _function(self, name: str) -> Any:
        """A function with its arguments; an exponent or base may stand between, as in \\sin^2 x and \\log_2 8."""
        exponent = base = None
        while self.text in ("^", "_"):
            if self.take("_"):
                base = self.argument()
            elif self.take("^"):
                exponent = self.exponent()
        if base is not None and name not in _LOGARITHMS:
            raise Unreadable
        if exponent == -1 and name in INVERTIBLE:
            name, exponent = f"a{name}", None
        self.angles += name in OF_ANGLES
        arguments = self._arguments_of()
        self.angles -= name in OF_ANGLES
        if name in _LOGARITHMS:
            if len(arguments) == 2 and base is None:
                base = arguments.pop()
            (argument,) = arguments if len(arguments) == 1 else (None,)
            value = values.log(values.scalar(argument), base or _LOGARITHMS[name], self.lazy)
        elif len(arguments) != 1 and name not in OF_MANY:
            raise Unreadable
        else:
            value = FUNCTIONS[name](*map(values.scalar, arguments), evaluate=not self.lazy)
        return value if exponent is None else values.power(value, exponent, self.lazy)

    def _arguments_of(self) -> list[Any]:
        if self.text in ("(", "[", r"\{"):
            return self.inside(self.arguments)
        if self.text == "{":
            return [self.argument()]
        return [self._bare_argument()]

    def _bare_argument(self) -> Any:
        """Without brackets: \\sin 2x, \\cos n\\pi/3, \\ln 2\\sqrt{3}; it ends at the next function, at e^x, and after
        a letter at a bracket or root."""
        sign = self.signs()
        factors, after_letter = [], False
        while True:
            after_letter |= self.kind in ("letter", "name") or self.text[1:] in GREEK
            factors.append(self.power())
            if not self.operand_follows() or (after_letter and self.text in _ENDS_ARGUMENT):
                break
            if self.text[1:] in FUNCTIONS or self.text[1:] in _LOGARITHMS or self.text == "e":
                break
        value = values.product(factors, self.lazy)
        if self.angles and self.text == "/" and self.after().kind == "number" and value.has(S.Pi):
            self.at += 1
            value = values.quotient(value, self.power(), self.lazy)
        return value if sign > 0 else values.negative(value, self.lazy)
