"""How markers and reward functions of other projects do on the adversarial suite.

    python bench/rivals_marking.py ask NAME... --out FOLDER     writes FOLDER/NAME.json, in an environment that has it
    python bench/rivals_marking.py table FOLDER [--into docs/how-to/exploit.md]             the page's tables

Names: ours, math_verify, math_dapo, math_dapo_line, prime_math, trl, lighteval. Each is called as its project calls it;
what is added is said in its docstring. They may be asked in different environments, and `table` reads what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import adversarial
from benchmarks.adversarial.calling import Judged, Target, judge
from benchmarks.adversarial.registry import KINDS
from rence.cli.suite_tables import document

PACKAGES = {
    "math_verify": "math-verify",
    "math_dapo": "verl",
    "math_dapo_line": "verl",
    "prime_math": "verl",
    "trl": "trl",
    "lighteval": "lighteval",
}
LETTERS = "ABCDEFGHIJ"


def math_verify(response: str, gold: str) -> bool:
    """With its defaults; the gold in a box."""
    from math_verify import parse, verify

    return bool(verify(parse(f"\\boxed{{{gold}}}"), parse(response)))


def math_dapo(response: str, gold: str) -> Any:
    from verl.utils.reward_score import math_dapo as module

    return module.compute_score(response, gold)


def math_dapo_line(response: str, gold: str) -> Any:
    """A response that is nothing but a box becomes the line `Answer: ...` that its own prompt asks for."""
    inner = response.removeprefix("\\boxed{").removesuffix("}")
    return math_dapo(response if len(inner) == len(response) else f"Answer: {inner}", gold)


def prime_math(response: str, gold: str) -> Any:
    from verl.utils.reward_score import prime_math as module

    return module.compute_score(response, gold)


def trl(response: str, gold: str) -> float:
    """The gold between dollar signs; None, which skips an example in training, is no reward here."""
    from trl.rewards import accuracy_reward

    found = accuracy_reward([[{"role": "assistant", "content": response}]], [f"${gold}$"])
    return found[0] or 0.0


def lighteval(response: str, gold: str) -> float:
    """The metric of its task MATH-500, the gold in a box as there; of GPQA's where the gold is an option's letter."""
    from lighteval.metrics.dynamic_metrics import MultilingualExtractiveMatchMetric
    from lighteval.metrics.utils.extractive_match_utils import (
        ExprExtractionConfig,
        IndicesExtractionConfig,
        LatexExtractionConfig,
    )
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    if gold in LETTERS:
        doc = Doc(query="", choices=list(LETTERS), gold_index=LETTERS.index(gold))
        target: list[Any] = [
            IndicesExtractionConfig(prefix_for_extraction="NativeLetters", try_extract_without_anchor=True)
        ]
    else:
        doc = Doc(query="", choices=[f"\\boxed{{{gold}}}"], gold_index=0)
        target = [ExprExtractionConfig(), LatexExtractionConfig()]
    metric = MultilingualExtractiveMatchMetric(
        gold_extraction_target=target, pred_extraction_target=target, precision=6
    )
    return metric.compute(doc, ModelResponse(text=[response]))


def ours(workers: int) -> Sequence[bool | None]:
    from benchmarks.marking import mark_all
    from benchmarks.marking.pool import Pool
    from benchmarks.marks import Form, Mark, Response, Rule

    responses = [Response(row.pred, row.gold, Rule(Form(row.rule), row.tolerance)) for row in adversarial.load()]
    pool = Pool(workers)
    marked = mark_all(responses, pool)
    pool.close()  # whose processors count
    return [{Mark.CORRECT: True, Mark.GRADER_FAILED: None}.get(one.mark, False) for one in marked]


def ask(name: str, seconds: float, workers: int) -> dict[str, Any]:
    rows, started, spent = adversarial.load(), time.perf_counter(), sum(os.times()[:4])
    judged: Sequence[Judged] = ()
    if name == "ours":
        from benchmarks.marking import MARKER_VERSION

        verdicts, label = ours(workers), f"rence-bench, marker {MARKER_VERSION}"
    else:
        judged = judge(Target(f"{Path(__file__).stem}:{name}", seconds), rows, workers).cases
        verdicts = [None if one.value is None else one.value > 0.5 for one in judged]
        label = f"{name} ({PACKAGES[name]} {version(PACKAGES[name])})"
    wall, processor = time.perf_counter() - started, sum(os.times()[:4]) - spent
    return {**document(label, rows, verdicts, judged), "wall_seconds": wall, "processor_seconds": processor}


def tables(found: Sequence[Mapping[str, Any]]) -> str:
    """By marker and group, then a table of kinds for each group, with an example."""
    names = [str(one["function"]) for one in found]
    head = ["marker", "equal forms refused", "near misses accepted", "wrong responses accepted"]
    head += [
        "right responses refused",
        "exploits accepted",
        "all wrong accepted",
        "all right refused",
        "failed",
        "cases/s",
    ]
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)])]
    for one in found:
        equal, near, whole, exploits = one["groups"]
        cells = [equal["false_negatives"], near["false_positives"], whole["false_positives"]]
        cells += [whole["false_negatives"], exploits["false_positives"]]
        cells += [one["all"]["false_positives"], one["all"]["false_negatives"]]
        speed = one["cases"] / one["processor_seconds"]
        lines.append(_row([one["function"], *map(_share, cells), f"{one['all']['failed']:,}", f"{speed:,.0f}"]))
    for group in dict.fromkeys(kind.group for kind in KINDS.values()):
        columns = ["kind", "gold", "response", *(name.partition(" ")[0] for name in names)]
        lines += ["", f"### {group.value.capitalize()}", "", _row(columns)]
        lines.append(_row(["---", "---", "---", *["---:"] * len(found)]))
        for several in zip(*(one["kinds"] for one in found), strict=True):
            if several[0]["group"] == group.value:
                lines.append(_row([*_example(several[0]["name"]), *map(_rates, several)]))
    return "\n".join(lines)


def _example(kind: str) -> list[str]:
    """What the kind is, and the shortest case of it."""
    case = min((row for row in adversarial.load() if row.kind == kind), key=lambda row: len(row.gold + row.pred))
    verdict = "right" if case.expected else "wrong"
    text = f"{_code(case.pred)} ({verdict})" if case.group == "whole responses" else _code(case.pred)
    return [f"`{kind}`: {KINDS[kind].description}", _code(case.gold), text]


def _code(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|")
    return f"`` {flat} ``" if "`" in flat else f"`{flat}`"


def _rates(kind: Mapping[str, Any]) -> str:
    """Percent accepted of the wrong, or refused of the right; both where it has both."""
    shares = [kind[rate] for rate in ("false_positives", "false_negatives") if kind[rate] is not None]
    return " / ".join(f"{100 * share:.0f}" for share in shares)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(share: float) -> str:
    return f"{100 * share:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    asking = commands.add_parser("ask")
    asking.add_argument("names", nargs="+", choices=["ours", *PACKAGES])
    asking.add_argument("--out", type=Path, required=True)
    asking.add_argument("--seconds", type=float, default=20.0)
    asking.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    writing = commands.add_parser("table")
    writing.add_argument("folder", type=Path)
    writing.add_argument("--into", type=Path, help="a page, after its line `<!-- tables -->`; else printed")
    arguments = parser.parse_args()
    if arguments.command == "table":
        order = ["ours", *PACKAGES]
        files = sorted(arguments.folder.glob("*.json"), key=lambda file: order.index(file.stem))
        made = tables([json.loads(file.read_text(encoding="utf-8")) for file in files])
        if arguments.into:
            kept, mark, _ = arguments.into.read_text(encoding="utf-8").partition("<!-- tables -->\n")
            arguments.into.write_text(f"{kept}{mark}\n{made}\n", encoding="utf-8")
        else:
            print(made)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out.resolve()
    os.chdir(Path(__file__).parent)  # where the children find this module
    for name in arguments.names:
        found = ask(name, arguments.seconds, arguments.workers)
        (out / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
        both = found["all"]
        print(
            f"{found['function']}: {both['accepted']:,} of {both['wrong']:,} wrong accepted, {both['refused']:,} of "
            f"{both['right']:,} right refused, {both['failed']:,} failed, {found['wall_seconds']:.0f} s"
        )


if __name__ == "__main__":
    main()
