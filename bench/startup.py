"""What commands cost that a person waits for, and how much of it is the libraries that they cannot do without.

    python bench/startup.py [--run FOLDER] [--repeats 7] [--json FILE]

Each command in processes of its own, in turns with Python importing what the command rests on and nothing of ours:
numpy, scipy, pandas, pyarrow, matplotlib, typer with rich. That is the floor, and `ratio` is the floor's processor
seconds over the command's: what is missing to 1 is ours, less what a command spares by importing parts of them.

FOLDER is a finished run of the quickstart; without it a run of the same shape is made up, which has one decoding and no
texts of interest.

Also the memory of a worker when it has imported what trials need, before the first model is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.report import Shape, Writer
from bench.sides import Run, alternate, child, median, ratio, write
from harness.records import RunFolder

ROOT = Path(__file__).resolve().parents[1]
FACE = "typer, typer.main, rich.console"
HELP = f"{FACE}, typer.rich_utils"
NUMBERS = f"{FACE}, pydantic, yaml, numpy, scipy.special"
TABLES = f"{NUMBERS}, pandas, pyarrow.parquet"
PICTURES = f"{TABLES}, jinja2, matplotlib.figure, matplotlib.backends.backend_svg"
QUICKSTART = Shape(4, 3, dict.fromkeys(("sums", "chains", "stories", "equations", "longer", "unseen"), 200), 4)
WORKER = "harness.base.lean_transformers, harness.run.trial"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        # Bytecode is kept from one start to the next, as after an install, whatever this shell says; not in the tree.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = f"{scratch}/bytecode"
        run = arguments.run and arguments.run.resolve()
        if run is None:
            run = Path(scratch) / "quickstart"
            Writer(QUICKSTART, RunFolder(run), characters=200).write()
        a, b = (str(run / arm.name) for arm in sorted(path for path in run.iterdir() if (path / "seed0").is_dir())[:2])
        quickstart = str(ROOT / "configs" / "quickstart.yaml")
        commands = {
            "--help": (["--help"], HELP),
            "list algorithms": (["list", "algorithms"], FACE),
            "show rence": (["show", "rence"], f"{FACE}, pydantic"),
            "doctor": (["doctor"], FACE),
            "plan quickstart": (["plan", quickstart], NUMBERS),
            "compare (two arms)": (["compare", a, b], TABLES),
            "report": (["report", str(run), "--out", f"{scratch}/report"], PICTURES),
        }
        rows = [measured(name, *one, arguments.repeats, scratch) for name, one in commands.items()]
    results = {"Commands": rows, "A worker's process after its imports": memory(arguments.repeats)}
    write(arguments.json, results)


def measured(name: str, words: Sequence[str], floor: str, repeats: int, folder: str) -> dict[str, Any]:
    """One row: medians of user and processor seconds, most memory, and the floor."""
    ours, theirs = [sys.executable, "-m", "rence", *words], [sys.executable, "-c", f"import {floor}"]
    runs = alternate({"ours": _side(ours, folder), "floor": _side(theirs, folder)}, repeats, warm=1)
    row = {
        "command": f"rence {name}",
        "user s": median(run.user for run in runs["ours"]),
        "cpu-s": median(run.cpu for run in runs["ours"]),
        "MB": _peak(runs["ours"]),
        "its libraries alone, cpu-s": median(run.cpu for run in runs["floor"]),
        "ratio": ratio(runs["floor"], runs["ours"]),
    }
    print(", ".join(f"{key} {value:.3f}" if isinstance(value, float) else value for key, value in row.items()))
    return row


def memory(repeats: int) -> list[dict[str, Any]]:
    """What the process that all workers are forked from takes, beside torch and transformers' own classes alone."""
    theirs = "torch, transformers; from transformers import AutoTokenizer, PreTrainedModel"
    sides = {"ours": WORKER, "torch and transformers alone": theirs}
    commands = {name: _side([sys.executable, "-c", f"import {code}"], None) for name, code in sides.items()}
    runs = alternate(commands, min(repeats, 3))
    rows: list[dict[str, Any]] = [
        {"process": name, "MB": _peak(found), "cpu-s": median(run.cpu for run in found)} for name, found in runs.items()
    ]
    rows[0]["ratio"] = rows[1]["MB"] / rows[0]["MB"]
    print(rows)
    return rows


def _side(command: Sequence[str], folder: str | None) -> Callable[[], Run]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return lambda: child(command, env=environment, cwd=folder)


def _peak(runs: Sequence[Run]) -> float:
    return median(run.peak_mb or float("nan") for run in runs)


if __name__ == "__main__":
    main()
