"""What tables call a benchmark: the title that its evaluations record."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reports.words import benchmark_title


def titles(evals: pd.DataFrame) -> Mapping[str, str]:
    """Benchmark -> title, with its name where two share one.

    Args:
        evals: `Run.evals`, headers of evaluations; those of older files and of imports have no title.
    """
    recorded: dict[str, str] = {}
    for name, title in zip(evals["benchmark"], evals["title"], strict=True):
        recorded[name] = recorded.get(name) or title
    found = {name: benchmark_title(name, title) for name, title in recorded.items()}
    said = list(found.values())
    return {name: title if said.count(title) == 1 else f"{title} [{name}]" for name, title in found.items()}
