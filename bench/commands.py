"""A sample of the rows of bench/rows.py through the commands: attempts written to a file, `rence import`, `rence
compare --json` and `rence report`, whose numbers must be those of the report's own function.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from bench.designs import Data
from bench.edges import estimated
from bench.rows import ROWS, Row
from bench.tables import rate
from rence.cli import app
from reports.statistics import Estimate

SAMPLE = (
    ("two seeds", "30 problems, sd 3"),
    ("mixed seeds", "1 v 3, 500 problems, sd 2.7"),
    ("mixed seeds", "2 v 8, 30 problems, sd 4.2 and 1.4"),
    ("edge: difference, 2 checkpoints", ".999, 30 problems, k 1"),
    ("edge: difference, 3 seeds", ".98, 100 problems, k 4"),
    ("six benchmarks", "3 seeds, sd 2.7"),
)
"""group and name of rows of two arms"""
SAME = 1e-12


def sample() -> list[Row]:
    rows = {(row.group, row.name): row for row in ROWS}
    return [rows[place] for place in SAMPLE]


def print_commands(replicates: int) -> None:
    """
    Raises: AssertionError if a command's number is not the library's.
    """
    held = total = 0
    for row in sample():
        held += agreed(row, replicates)
        total += replicates
    words = f"{len(SAMPLE)} rows x {replicates} replicates through `rence import`, `compare --json` and `report`"
    print(f"{words}: every number is the library's to {SAME:g}; coverage {rate(held / total)} of {total}.\n")
    print("Rows: " + "; ".join(": ".join(place) for place in SAMPLE) + ".\n")


def agreed(row: Row, replicates: int) -> int:
    """Checks replicates of a row. Returns how many intervals of `rence compare` hold the truth."""
    rng, held = np.random.default_rng([8, zlib.crc32(f"{row.group}: {row.name}".encode())]), 0
    for data, truths in row.design.draw(rng, replicates):
        for i, truth in enumerate(truths):
            with tempfile.TemporaryDirectory() as folder:
                compared, verdict = through(data, i, row.design.k, Path(folder))
            estimate = estimated(row, data, i)
            pairs = [next(p for p in found["pairs"] if p["benchmark"] == "average") for found in (compared, verdict)]
            for pair in pairs:
                _same(estimate, pair, "delta")
            arms = {arm["arm"]: arm["average"] for arm in verdict["arms"]}
            for a, name in enumerate("ab"):
                alone = replace(row, design=replace(row.design, arms=row.design.arms[a : a + 1]), paired=False)
                _same(estimated(alone, data[a : a + 1], i), arms[name], "mean")
            low, high = pairs[0]["ci_low"], pairs[0]["ci_high"]
            held += low is not None and low <= truth <= high
    return held


def _same(estimate: Estimate, found: dict[str, object], value: str) -> None:
    assert found["covers"] == estimate.estimand, (found["covers"], estimate.estimand)
    ours = [estimate.value, *(estimate.interval or (None, None))]
    theirs = [found[value], found["ci_low"], found["ci_high"]]
    if "p_value" in found:
        ours.append(estimate.p_value)
        theirs.append(found["p_value"])
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None) == (other is None) and (one is None or abs(one - other) <= SAME), (ours, theirs)  # type: ignore[operator]


def through(data: Data, i: int, k: int, folder: Path) -> tuple[dict[str, list], dict[str, list]]:
    """What `rence compare --json` prints of one replicate, and what `rence report` writes to verdict.json."""
    attempts(data, i, k).to_parquet(folder / "attempts.parquet", index=False)
    run = folder / "run"
    call("import", "attempts", str(folder / "attempts.parquet"), "--target", "a", "--out", str(run))
    compared = call("compare", str(run / "a"), str(run / "b"), "--json")
    call("report", str(run), "--format", "json")
    return json.loads(compared), json.loads((run / "report" / "verdict.json").read_text())


def attempts(data: Data, i: int, k: int) -> pd.DataFrame:
    """A row for each answer; of c correct among k the first c are."""
    frames = []
    for name, arm in zip("ab", data, strict=True):
        for b, shares in enumerate(arm):
            right = np.rint(shares[i] * k).astype(int)
            s, j = right.shape
            columns = {
                "arm": name,
                "benchmark": f"benchmark{b}",
                "seed": np.repeat(np.arange(s), j * k),
                "problem_id": np.tile(np.repeat(np.arange(j), k), s),
                "sample": np.tile(np.arange(k), s * j),
                "correct": (np.arange(k) < right[..., None]).ravel().astype(int),
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames)


def call(*arguments: str) -> str:
    """
    Raises: AssertionError if the command fails.
    """
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, f"rence {' '.join(arguments)}: {result.output}"
    return result.stdout
