"""Benchmarks known by the texts of their problems, where nothing else names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pandas as pd

from harness.importing.raw import Raw
from harness.importing.shapes.missing import Missing
from harness.importing.shapes.recognise import FoundShape
from harness.importing.shapes.whose import Whose
from harness.records import DataError

_KEY = 12
"""characters by which texts are looked up; no problem of ours is shorter"""
_LONG = 40
"""characters of a text that no other problem has by chance"""
_SPECIAL = re.compile(r"<\|[^|<>]*\|>|\[/?INST\]|</?s>")
"""marks of chat templates"""
_WORD = re.compile(r"\S+")
_SHOWN = 4
_MOST_LOOKED_AT = 5_000
"""texts, before all rows are read"""
_FLAGS = "--benchmark NAME names one for all rows, --column benchmark=KEY the key that says which."


class KnownTexts:
    """Problems of several benchmarks, to be found in prompts."""

    def __init__(self, sets: Mapping[str, Iterable[str]]) -> None:
        """
        Args:
            sets: benchmark -> its questions.
        """
        self._sets: dict[str, set[str]] = {}
        """question with single blanks -> benchmarks"""
        self.sizes: Counter[str] = Counter()
        for name, questions in sets.items():
            for question in questions:
                text = " ".join(question.split())
                self._sets.setdefault(text, set()).add(name)
                self.sizes[name] += 1
        self._by_start: dict[str, list[str]] = {}
        for text in sorted(self._sets, key=len, reverse=True):
            self._by_start.setdefault(text[:_KEY], []).append(text)

    def question(self, prompt: str) -> str:
        """The longest question that a prompt holds; a short one only at the beginning of a line. Empty if none."""
        text = " ".join(prompt.split())
        if text in self._sets:
            return text
        made, best, length, end = [], "", 0, 0
        starts: list[tuple[int, bool]] = []
        clean = _SPECIAL.sub("\n", prompt)
        for found in _WORD.finditer(clean):
            starts.append((length, not made or "\n" in clean[end : found.start()]))
            made.append(found.group())
            length, end = length + len(made[-1]) + 1, found.end()
        flat = " ".join(made)
        for start, of_line in starts:
            for text in self._by_start.get(flat[start : start + _KEY], ()):
                rest = flat[start + len(text) : start + len(text) + 1]
                if len(text) > len(best) and (of_line or len(text) >= _LONG) and not rest.strip():
                    best = text if flat.startswith(text, start) else best
        return best

    def of(self, question: str) -> frozenset[str]:
        """Benchmarks that ask it."""
        return frozenset(self._sets.get(question, ()))


def here() -> KnownTexts:
    """The benchmarks whose problems are on this machine; nothing is fetched."""
    from benchmarks.problems import ProblemsError
    from benchmarks.registry import BENCHMARKS

    found = {}
    for name, one in BENCHMARKS.items():
        try:
            # a set with golds put right asks the same questions as the set itself
            if not name.endswith("_errata") and one.is_here():
                found[name] = [problem.question for problem in one.problems]
        except ProblemsError:
            continue
    return KnownTexts(found)


@dataclass
class NamesByText:
    """What names the benchmark of each row, or refuses one benchmark for rows of several."""

    known: KnownTexts
    one: str = ""
    """the benchmark that all rows are of, if one asks all of their questions"""
    asked: bool = False
    """whether the command names the benchmark: then rows of two are refused, and nothing is named"""
    least: int = 0
    """characters of a question that count"""
    counts: Counter[str] = field(default_factory=Counter)
    """benchmark -> problems so far"""
    names: dict[str, str] = field(default_factory=dict)
    """prompt -> benchmark; empty if none is known"""

    def of(self, raw: Raw) -> np.ndarray:
        """The benchmark of each row. Raises: DataError at a row of none, of two, or of a second one."""
        texts = pd.Series([text if isinstance(text, str) else "" for text in raw["question"]], dtype=object)
        codes, distinct = pd.factorize(texts)
        new = {text: self._name(text) for text in distinct if text not in self.names}
        self.counts.update(name for name in new.values() if name)
        self.names |= new
        if self.asked and len(self.counts) > 1:
            raise DataError(f"{raw.source.path}: {_pooled(self.counts)}")
        lost = np.array([not self.names[text] for text in distinct], dtype=bool)[codes]
        if not self.asked:
            said = f"the problem is of none of the benchmarks that the texts told before: {_listed(self.counts)}"
            raw.check(lost, lambda _: said, f".\n{_FLAGS}")
        return np.array([self.names[text] for text in distinct], dtype=object)[codes]

    def _name(self, text: str) -> str:
        question = self.known.question(text)
        sets = self.known.of(question) if len(question) >= self.least else frozenset()
        return self.one if self.one in sets else next(iter(sets)) if len(sets) == 1 else ""

    def notes(self) -> list[str]:
        """What was recognised."""
        if self.asked or not self.counts:
            return []
        return [f"The benchmark is known by the texts of the problems: {_listed(self.counts)}."]


def look(shape: FoundShape, made: Whose, asked: str | None, missing: Missing) -> NamesByText | None:
    """Whether texts of problems name the benchmarks, where nothing does but a folder that all files share.

    Args:
        asked: the benchmark that the command names.
    Returns: None where texts say nothing, or nothing has to be said.
    """
    roles, pools = shape.roles.columns, bool(shape.family and shape.family.pools)
    if "benchmark" in roles or (asked is None and made.how.get("benchmark") != "the path"):
        return None
    known = here()
    asks = dict.fromkeys(map(str, shape.values("question"))) if "question" in roles else {}
    questions = {text: known.question(text) for text in islice(asks, _MOST_LOOKED_AT)}
    sets = {text: known.of(question) for text, question in questions.items() if question}
    all_known = bool(questions) and len(sets) == len(questions)
    # short questions that are known beside others that are not may be so by chance
    if not all_known and max((len(questions[text]) for text in sets), default=0) < _LONG:
        sets = {}
    counts = Counter(next(iter(names)) for names in sets.values() if len(names) == 1)
    shared = frozenset.intersection(*sets.values()) if sets else frozenset()
    if asked is not None:
        if len(counts) > 1 and not shared:
            missing.add(_pooled(counts))
        return NamesByText(known, asked=True, least=0 if all_known else _LONG) if sets or pools else None
    if sets or pools:
        made.benchmark = [None] * len(made.benchmark)
        made.how["benchmark"] = "the texts" if sets else ""
    if not sets:
        return None
    # of sets that ask all of them the one that asks no other, as of two that overlap
    distinct = {questions[text] for text in sets}
    whole = [name for name in sorted(shared) if known.sizes[name] == len(distinct)] or sorted(shared)
    several = [names for names in sets.values() if len(names) > 1]
    if not all_known:
        found = Counter(" or ".join(sorted(names)) for names in sets.values())
        missing.add(
            f"by their texts some problems are of {_listed(found)}, and {len(questions) - len(sets):,} of none "
            f"that is known here. {_FLAGS}"
        )
    elif len(whole) != 1 and several:
        names = sorted(several[0])
        missing.add(
            f"by their texts {len(several):,} problems may be of {' or '.join(names)}, which ask the same. "
            f"--benchmark NAME says which."
        )
    return NamesByText(known, whole[0] if len(whole) == 1 else "")


def _pooled(counts: Mapping[str, int]) -> str:
    return (
        f"the problems are of several benchmarks, known by their texts: {_listed(counts)}. One --benchmark would pool "
        "them: leave it out, and each row gets the name of its own."
    )


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count:,} problem{'' if count == 1 else 's'})" for name, count in counts.items()]
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
