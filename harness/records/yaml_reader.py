"""YAML as plain data that remembers the line of every key: the one reader, whoever wrote the file.

A few bytes of YAML can stand for a great deal (an alias of an alias of an alias), or be so deep that a parser falls off
its stack. So what our files do not need is refused as soon as it is met, before anything is built of it: aliases,
anchors, merge keys, tags, a second document, a key given twice, control characters, more than `MOST_DEPTH` levels or
`MOST_NODES` values, numbers that 64 bits do not hold.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import yaml

Key = tuple[str | int, ...]
"""where a value is: ("recipe", "group_size") or ("seeds", 0)"""

MOST_DEPTH = 32
"""levels; experiments have 6, baselines 5"""
MOST_NODES = 500_000
"""keys and values; a baseline of 12,000 problems with 40 seeds has as many"""
SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""what 64 bits hold, as files of numbers have them"""
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_LONGEST_NUMBER = 64
"""characters; more digits than that are no number that is meant"""
_SHOWN = 60
"""characters of a key or value in a message"""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u2028-\u2029\ufffe\uffff]")
_NULL = re.compile(r"(?:|~|null|Null|NULL)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9](?:_?[0-9])*\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


class YamlMistake(ValueError):
    """What is wrong, and where."""

    def __init__(self, words: str, key: Key, line: int, column: int | None = None) -> None:
        """
        Args:
            words: a sentence.
            line: from 1.
            column: from 1, where the text is not YAML; None: the line says enough.
        """
        super().__init__(words)
        self.key, self.line, self.column = key, line, column


def load(text: str, lines: dict[Key, int], scalar: Callable[[str], Any] | None = None, at: Key = ()) -> Any:
    """Mappings, lists, words, numbers, booleans and None.

    Args:
        lines: is filled: key -> line, from 1.
        scalar: a word without quotes -> what it means, or ValueError; None: as `core`.
        at: key of the whole, where the text is a part of something.
    Raises: YamlMistake.
    """
    reader = _Reader(text, lines, scalar or core)
    try:
        return reader.document(at)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, None)
        raise YamlMistake(f"this is not YAML: {error.problem or error.context}.", (), line, column) from None
    except yaml.YAMLError as error:
        raise YamlMistake(f"this is not YAML: {' '.join(str(error).split())}.", (), 1) from None
    except UnicodeEncodeError:
        raise YamlMistake("this is not UTF-8.", (), 1) from None


def core(text: str) -> Any:
    """YAML 1.2's scalars, not 1.1's: `1e-4` is a number and `no` is a word. An integer of too many digits is one
    that 64 bits do not hold, too."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return _integer(text)
    if _FLOAT.match(text):
        return float(text)
    return float(_SPECIAL[text.lower()]) if text.lower() in _SPECIAL else text


def dotted(key: Key) -> str:
    """`arms.grpo.recipe.group_size`, `seeds[0]`; of long words the beginning."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_cut(part)}" for part in key).lstrip(".")


def _cut(text: str) -> str:
    shown = text if text.isprintable() else json.dumps(text)[1:-1]
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def _integer(text: str) -> int:
    # int() of a million digits takes minutes, or is refused.
    return int(text) if len(text) <= _LONGEST_NUMBER else LARGEST + 1


class _Reader:
    def __init__(self, text: str, lines: dict[Key, int], scalar: Callable[[str], Any]) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._lines, self._scalar, self._nodes = lines, scalar, 0

    def document(self, at: Key) -> Any:
        next(self._events)  # the start of the stream
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            return None
        data = self._value(next(self._events), at)
        next(self._events)  # the end of the document
        if not isinstance(after := next(self._events), yaml.StreamEndEvent):
            self._fail(after, (), "a second document begins here. One file is one document: remove the rest.")
        return data

    def _value(self, event: Any, key: Key) -> Any:
        self._lines.setdefault(key, event.start_mark.line + 1)
        self._check(event, key)
        if isinstance(event, yaml.ScalarEvent):
            return self._word(event, key) if event.style else self._plain(event, key)
        if len(key) >= MOST_DEPTH:
            self._fail(event, key[:3], f"this is more than {MOST_DEPTH} levels deep.")
        return self._list(key) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(key)

    def _list(self, key: Key) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*key, len(items))))
        return items

    def _mapping(self, key: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, key)
            if not isinstance(event, yaml.ScalarEvent):
                kind = "a list" if isinstance(event, yaml.SequenceStartEvent) else "a mapping"
                self._fail(event, key, f"a key must be a word, but is {kind} instead.")
            inner = (*key, self._word(event, key))
            if event.value == "<<" and not event.style:
                self._fail(event, inner, f"`{dotted(inner)}`, a merge of keys, is not read. Write the keys out.")
            if event.value in data:
                words = f"`{dotted(inner)}` is given twice, first in line {self._lines[inner]}. Remove one of them."
                self._fail(event, inner, words)
            self._lines[inner] = event.start_mark.line + 1
            data[event.value] = self._value(next(self._events), inner)
        return data

    def _check(self, event: Any, key: Key) -> None:
        """Raises: YamlMistake for what stands for more than itself."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._fail(event, key[:3], f"this has more than {MOST_NODES:,} keys and values.")
        if event.anchor is not None:
            sign, what = ("*", "an alias") if isinstance(event, yaml.AliasEvent) else ("&", "an anchor")
            at = f"`{dotted(key)}` is {what}" if key else f"this is {what}"
            self._fail(event, key, f"{at} (`{sign}{_cut(event.anchor)}`), which is not read. Write the part out.")
        if event.tag is not None:
            at = f"`{dotted(key)}`" if key else "this"
            self._fail(event, key, f"{at} has the tag `{_cut(event.tag)}`. Tags are not read: remove it.")

    def _plain(self, event: Any, key: Key) -> Any:
        text = self._word(event, key)
        try:
            value = self._scalar(text)
        except ValueError as error:  # such as a date that is none
            self._fail(event, key, f"this is not YAML: {error}.")
        where = f"`{dotted(key)}`" if key else "this"
        if isinstance(value, float) and not math.isfinite(value):
            shown = json.dumps(value) if text.lower() in _SPECIAL else _cut(text)
            self._fail(event, key, f"{where} must be a finite number, but is {shown} instead.")
        if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
            span = f"from {SMALLEST} to {LARGEST}"
            self._fail(event, key, f"{where} must be {span}, but is {_cut(text)} instead: 64 bits hold no more.")
        return value

    def _word(self, event: Any, key: Key) -> str:
        if found := _CONTROL.search(event.value):
            at = f"`{dotted(key)}` holds" if key else "this has"
            self._fail(event, key, f"{at} the control character U+{ord(found[0]):04X}. Remove it.")
        return event.value

    def _fail(self, event: Any, key: Key, words: str) -> NoReturn:
        raise YamlMistake(words, key, event.start_mark.line + 1)
