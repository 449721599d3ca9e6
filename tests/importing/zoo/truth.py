"""What all the animals of the zoo say: two arms, twelve sums, four answers to each; texts made up here."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARMS = ("base", "tuned")
K = 4


@dataclass(frozen=True)
class Cell:
    """One answer to one sum."""

    arm: str
    i: int
    """the problem's place"""
    k: int
    question: str
    gold: str
    answer: str

    @property
    def right(self) -> bool:
        return self.answer == self.gold

    @property
    def text(self) -> str:
        return f"Adding the two numbers gives \\boxed{{{self.answer}}}."

    @property
    def id(self) -> str:
        return f"q{self.i:02}"


def _cells() -> list[Cell]:
    draw, found = random.Random(18), []
    pairs = [(draw.randint(2, 60), draw.randint(2, 60)) for _ in range(12)]
    for arm, rate in zip(ARMS, (0.45, 0.75), strict=True):
        for i, (a, b) in enumerate(pairs):
            for k in range(K):
                answer = a + b if draw.random() < rate else a + b + draw.randint(1, 9)
                found.append(Cell(arm, i, k, f"What is {a} + {b}?", str(a + b), str(answer)))
    return found


CELLS = _cells()


def cells(arm: str, i: int | None = None, k: int | None = None) -> list[Cell]:
    """In the order problem, sample."""
    return [c for c in CELLS if c.arm == arm and i in (None, c.i) and k in (None, c.k)]


def groups(arm: str) -> Iterator[list[Cell]]:
    """The answers to each problem."""
    for i in range(12):
        yield cells(arm, i)


def share(arm: str, k: int) -> float:
    """Of correct answers among the first k to each problem."""
    return sum(c.right for c in cells(arm) if c.k < k) / (12 * k)


@dataclass(frozen=True)
class Shape:
    """One way in which results lie in files."""

    name: str
    make: Callable[[Path], None]
    k: int
    needs: tuple[str, ...] = ()
    """words of the command without which the files do not say it"""
    refused: str = ""
    """what the error says, where nobody could know which answers are correct"""


SHAPES: dict[str, Shape] = {}


def shape(k: int = 1, needs: str = "", refused: str = "") -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Puts what writes a shape among `SHAPES`, under its name."""

    def keep(make: Callable[[Path], None]) -> Callable[[Path], None]:
        SHAPES[make.__name__] = Shape(make.__name__, make, k, tuple(needs.split()), refused)
        return make

    return keep


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def put_json(path: Path, data: Any) -> None:
    put(path, json.dumps(data, indent=1))


def put_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    put(path, "".join(json.dumps(row) + "\n" for row in rows))


def put_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    import csv

    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def put_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)


def chat(*texts: str) -> list[dict[str, str]]:
    """Turns of a user and an assistant."""
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
