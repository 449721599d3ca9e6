"""Whether two sides were asked the same problems as far as they share them, where the hash of a benchmark is one over
the ids and golds that were asked, as an import makes it: it then differs for every other selection of problems.

Raises, everywhere in this module: records.DataError for a file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from glob import escape
from pathlib import Path

import pandas as pd

from harness.records import identity
from reports.data import columns

Golds = Mapping[str, str | None]
"""problem -> gold; None: nobody says it"""


def golds(root: Path, benchmark: str) -> Golds:
    """Of all problems that evaluations in this folder were asked."""
    found: dict[str, str | None] = {}
    for path in sorted(root.glob(f"**/evals/**/{escape(benchmark)}/attempts.parquet")):
        with columns.opened(path, ["problem_id"]) as file:
            names = [name for name in ("problem_id", "gold") if name in file.schema_arrow.names]
            table = file.read(columns=names)
        ids = table["problem_id"].to_pylist()
        for problem, gold in zip(ids, table["gold"].to_pylist() if "gold" in names else [None] * len(ids), strict=True):
            if found.get(problem) is None:
                found[problem] = gold
    return found


def made_of(version: str, asked: Golds) -> bool:
    """Whether this hash is the one over these ids and golds."""
    return version == identity(sorted(asked.items()))


def agree(a: tuple[str, Golds], b: tuple[str, Golds]) -> bool:
    """Whether both hashes are over ids and golds, and no problem that both have has two golds.

    Args:
        a, b: hash, and what was asked.
    """
    return (
        made_of(*a)
        and made_of(*b)
        and all(
            None in (a[1][problem], b[1][problem]) or a[1][problem] == b[1][problem]
            for problem in a[1].keys() & b[1].keys()
        )
    )


def of_each(evals: pd.DataFrame) -> dict[str, str]:
    """Benchmark -> its hash."""
    return dict(zip(evals["benchmark"], evals["benchmark_hash"], strict=True))


def adopt(evals: pd.DataFrame, versions: Mapping[str, str]) -> pd.DataFrame:
    """The headers with these hashes, for problems that are known to be the same ones."""
    rows = zip(evals["benchmark"], evals["benchmark_hash"], strict=True)
    return evals.assign(benchmark_hash=[versions.get(name, own) for name, own in rows])
