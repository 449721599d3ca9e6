"""All measurements of speed, one after the other, and the page that is made of them: `make bench`, `make bench-long`.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/suite.py [--long] [--only NAME]... [--data FOLDER]

Each part is a script of its own that can be run by hand; here it writes bench/results/NAME.json, and bench/page.py
makes docs/benchmarks.md of what is there. Parts that lack something (Math-Verify's rows, a GPU) are
left out, and the page says of what is not there that it was not run. FOLDER holds `grading/`; it is RENCE_DATA_DIR
unless told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import page

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
KEPT = "bench/results/runs"
"""where bench/experiment.py leaves a run for bench/startup.py; not kept in git"""


@dataclass(frozen=True)
class Part:
    """One table or more of the page."""

    name: str
    """of the file of its results, bench/results/NAME.json"""
    title: str
    words: Sequence[str] | None
    """what `make bench` calls, a script and its options; None: `make bench-long` alone does"""
    sides: str
    """a sentence or two: what is ours, what is the peer, what proves that both did the same"""
    long: Sequence[str] | None = None
    """what `make bench-long` calls instead; None: nothing, for minutes would tell no more"""
    needs: str = ""
    """what the machine must have besides, in words, for what was not run"""


PARTS = (
    Part(
        "train_step",
        "A training step",
        ["train_step.py"],
        "Ours is backend `local`; the peer is TRL's GRPOTrainer with its default settings, on the same model, prompts "
        "and number of updates.",
    ),
    Part(
        "growth",
        "Cost of a token as batches grow",
        ["growth.py"],
        "Ours alone: processor seconds a token of training, against the length of answers, prompts and K.",
    ),
    Part(
        "generate",
        "Generation",
        ["generate.py"],
        "Ours is the sampler that trains and evaluates on the CPU; the peer is transformers' `generate`.",
    ),
    Part(
        "evaluate",
        "Evaluation",
        None,
        "Ours is `rence eval --engine local`; the peer is lm-eval's `hf` model on the same problems, start-up "
        "included.",
        ["evaluate.py"],
    ),
    Part(
        "experiment",
        "The quickstart",
        ["experiment.py", "--keep", KEPT],
        "Ours alone: one worker against two, and what the workers' time goes into. `make bench-long` runs all of it.",
        ["experiment.py", "--whole"],
    ),
    Part(
        "startup",
        "Commands that people wait for",
        ["startup.py", "--run", f"{KEPT}/runs/one"],
        "Ours is the command; beside it stands Python that imports the libraries the command rests on and nothing of "
        "ours.",
    ),
    Part(
        "report",
        "Reports of large runs",
        ["report.py", "--only", "problems", "--characters", "200"],
        "Ours alone: synthetic runs in the real format.",
        ["report.py"],
    ),
    Part(
        "grading",
        "Marking",
        ["grading.py"],
        "Ours is the marker; the peer is Math-Verify on the same rows.",
        needs="RENCE_DATA_DIR with grading/",
    ),
    Part(
        "gpu",
        "One GPU",
        None,
        "Ours is backend `local` on CUDA; peers are transformers' `generate` and the card's own matrix products.",
        ["gpu.py"],
        needs="a GPU",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="the parts that take more than a minute a side")
    parser.add_argument("--only", action="append", choices=[part.name for part in PARTS])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("RENCE_DATA_DIR", "")))
    arguments = parser.parse_args()
    failed = []
    for part in PARTS:
        words = part.long if arguments.long else part.words
        if words is None or (arguments.only and part.name not in arguments.only):
            continue
        lacks = lacking(part, arguments.data)
        if lacks:
            print(f"{part.name}: not run, for there is no {lacks}.", flush=True)
            continue
        failed += [] if run(part, words, arguments.data, arguments.long) else [part.name]
    page.write()
    print(f"{page.PAGE.relative_to(ROOT)}: written.")
    if failed:
        sys.exit(f"Failed, and not on the page anew: {', '.join(failed)}.")


def lacking(part: Part, data: Path) -> str:
    """What it needs and does not have, in words."""
    if not (ROOT / "bench" / f"{part.name}.py").exists():
        return f"bench/{part.name}.py"
    if part.name == "grading":
        return "" if (data / "grading").is_dir() else part.needs
    if part.name == "gpu":
        import torch

        return "" if torch.cuda.is_available() else part.needs
    return ""


def run(part: Part, words: Sequence[str], data: Path, long: bool) -> bool:
    """Whether it went well."""
    name = f"{part.name}_long" if long and part.words else part.name
    command = [sys.executable, f"bench/{words[0]}", *words[1:], "--json", f"bench/results/{name}.json"]
    print(f"{part.name}: {' '.join(command[1:])}", flush=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["RENCE_DATA_DIR"] = str(data)  # and not an option: the page shows commands as they were called
    started = time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, env=environment).returncode
    print(f"{part.name}: {time.perf_counter() - started:.0f} s", flush=True)
    return ended == 0


if __name__ == "__main__":
    main()
