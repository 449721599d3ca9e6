"""The command in this process, and rows with a known truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rence.cli import main

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def rence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`rence import ...` and others, from a folder of its own, as they are typed: messages repeat their options."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*words: str) -> Done:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["rence", *words])
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        assert "Traceback" not in said.err and len(said.err.splitlines()) <= 3, said.err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, said.out, said.err)

    return call


def attempts(
    shares: Mapping[tuple[str, int | None, str], float], problems: int = 20, k: int = 4, step: int | None = None
) -> Rows:
    """Rows of which exactly this share is correct, the first ones of each problem more often than the last.

    Args:
        shares: (arm, seed, benchmark) -> share
    """
    rows = []
    for (arm, seed, benchmark), share in shares.items():
        right = round(share * problems * k)
        cells = [(sample, problem) for sample in range(k) for problem in range(problems)]
        for place, (sample, problem) in enumerate(cells):
            row = {"arm": arm, "seed": seed, "benchmark": benchmark, "problem_id": f"p{problem:02}", "sample": sample}
            rows.append(row | {"correct": int(place < right)} | ({} if step is None else {"step": step}))
    return rows


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def verdict(run: Path) -> dict[str, Any]:
    return json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))
