"""avg@32 of AIME 2024: processor seconds of `rence eval` and of lm-eval's `hf` model, start-up included.

    OMP_NUM_THREADS=1 RENCE_DATA_DIR=... PYTHONPATH=. python bench/evaluate.py [--problems 4,30] [--json FILE]

Both are commands, as a user calls them with their default settings, in turns, on a model of 43 M parameters with a head
of 151,936 tokens whose answers nearly all reach the limit.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench import sides
from bench.made_models import made

TASKS = Path(__file__).parent.parent / "benchmarks" / "tasks"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", default="4,30")
    parser.add_argument("--tokens", type=int, default=64, help="most of an answer")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file to write")
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        model = made("44m", Path(scratch) / "44m")
        for problems in asked.problems.split(","):
            turns = iter(range(10**6))
            ways = {
                "ours": lambda p=problems, t=turns: ours(model, p, asked.tokens, Path(scratch) / f"run{p}_{next(t)}"),
                "lm-eval": lambda p=problems: theirs(model, p, asked.tokens),
            }
            runs = sides.alternate(ways, asked.repeats)
            ratio = sides.ratio(runs["lm-eval"], runs["ours"])
            spent = {name: sides.summary(of) for name, of in runs.items()}
            found.append({"problems": int(problems), "ratio": ratio, "runs": spent})
            seconds = "  ".join(f"{name} {one['cpu_s']:.1f} s" for name, one in spent.items())
            print(f"{problems} problems x 32: {seconds}  ratio {ratio:.2f}", flush=True)
    sides.write(asked.json, found)


def ours(model: Path, problems: str, tokens: int, out: Path) -> sides.Run:
    command = [sys.executable, "-m", "rence", "eval", "--model", model, "--benchmarks", "aime24:32", "--out", out]
    return sides.child([*command, "--template", "bare", "--limit", problems, "--max-tokens", str(tokens)], env=_env())


def theirs(model: Path, problems: str, tokens: int) -> sides.Run:
    command = [sys.executable, "-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={model},dtype=float32"]
    drawn = f"max_gen_toks={tokens},do_sample=True,temperature=1.0"
    what = ["--include_path", TASKS, "--tasks", "rence_aime24_k32", "--limit", problems, "--gen_kwargs", drawn]
    return sides.child([*command, *what, "--device", "cpu"], env=_env())


def _env() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    main()
