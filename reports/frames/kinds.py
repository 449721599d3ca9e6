"""Which kind of results a folder holds. Imports neither numpy nor pandas.

Raises, everywhere in this module: records.DataError, with what the folder is instead and what to load.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from harness.records import DataError, Plan, RunFolder
from reports.words import listing

Kind = Literal["run", "import", "evaluation", "scores"]
HEADERS = "evals/*/eval.json"
"""of a folder of `rence eval`"""
_MOST_NAMED = 5


def kind_of(root: Path) -> Kind:
    """Made by `rence run`, `rence import`, `rence eval` or `rence import scores`."""
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. `rence list runs` shows the runs there are.")
    if RunFolder(root).plan.exists():
        return "import" if Plan.read(RunFolder(root).plan).imported else "run"
    if RunFolder(root).scores_plan.exists():
        return "scores"
    for run in root.resolve().parents[:2]:
        if RunFolder(run).plan.exists() or RunFolder(run).scores_plan.exists():
            raise DataError(
                f"{root} is a part of the run {run}, and no run by itself.\nLoad the run: its tables have the columns "
                "`arm` and `seed`."
            )
    if any(root.glob(HEADERS)):
        return "evaluation"
    inside = sorted(
        {path.relative_to(root).parts[0] for pattern in ("plan.json", HEADERS) for path in root.glob(f"*/{pattern}")}
    )
    if inside:
        names = listing([*inside[:_MOST_NAMED], *(["..."] if len(inside) > _MOST_NAMED else [])])
        raise DataError(f"{root} is no run, and has some in it: {names}. Load one of them, such as {root / inside[0]}.")
    raise DataError(
        f"{root} holds no results: neither plan.json, as a run does, nor evals/, as a folder of `rence eval`.\n"
        "`rence list runs` shows the runs there are; `rence import PATH --out RUN` makes one of results made elsewhere."
    )
