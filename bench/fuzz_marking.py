"""Random and mutated texts through the marker, for so many minutes: it must mark every one.

    python bench/fuzz_marking.py --minutes 10 [--seed 20261129] [--workers N]

Golds and responses are cases of the adversarial suite, mutated: parts cut, doubled, exchanged between cases; tokens of
TeX, Unicode and control characters thrown in; or nothing but such tokens, some very long or deeply nested. Counted are
marks, exceptions (a fault), `grader_failed` (a deadline or a broken comparison; allowed, and shown), and batches that
take longer than the deadlines of what failed in them explain (a hang). Ends with 1 after a fault or a hang.
The same seed draws the same texts, batch by batch; how many there are depends on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from collections import Counter
from random import Random

from benchmarks import adversarial
from benchmarks.marking import MARKER_VERSION, mark_all
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.pool import Pool
from benchmarks.marks import Form, Mark, Reading, Response, Rule

SEED = 20261129
BATCH = 50
SECONDS_A_BATCH, SECONDS_A_FAILURE = 120.0, 15.0
"""of wall time on a loaded machine: for a batch, and for each answer of it that ran into its deadline"""
TOKENS = (
    *"0123456789+-*/=<>^_(){}[]|,.;:!?%$&#~'\"\\ \n\t",
    *(
        "\\frac",
        "\\sqrt",
        "\\boxed{",
        "\\boxed",
        "\\left(",
        "\\right)",
        "\\begin{cases}",
        "\\end{cases}",
        "\\\\",
        "\\pm",
    ),
    *(
        "\\begin{pmatrix}",
        "\\end{pmatrix}",
        "\\infty",
        "\\cup",
        "\\text{",
        "\\mathrm{",
        "\\pi",
        "\\sin",
        "\\log",
        "\\binom",
    ),
    *(
        "\\sum_{k=1}^{n}",
        "\\int_0^1",
        "\\lim_{x\\to0}",
        "\\overline{",
        "\\lfloor",
        "\\rceil",
        "^\\circ",
        "\\%",
        "\\,",
        "x",
        "n",
    ),
    *(
        "<think>",
        "</think>",
        "Answer:",
        "answer is",
        " or ",
        " and ",
        "####",
        "e",
        "i",
        "E_{1}",
        "10^{10}",
        "9^{9^{9}}",
        "!",
    ),
    *(
        "√",
        "²",
        "½",
        "１",
        "−",
        "×",
        "∞",
        "π",
        "\u202e",
        "\u200b",
        "\ud800",
        "\0",
        "é",
        "答",
        "٣",
        "𝟏",
        "'''",
        "\\dot{",
        "\\over",
    ),
)
"""one of each is drawn with the same chance"""


def mutated(rng: Random, text: str, other: str) -> str:
    """A text with one to four changes."""
    for _ in range(rng.randint(1, 4)):
        a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        c, d = sorted(rng.randrange(len(other) + 1) for _ in range(2))
        change = rng.randrange(7)
        if change == 0:
            text = text[:a] + text[b:]
        elif change == 1:
            text = text[:b] + text[a:]
        elif change == 2:
            text = text[:a] + other[c:d] + text[b:]
        elif change == 3:
            text = text[:a] + rng.choice(TOKENS) + text[a:]
        elif change == 4:
            text = text[:a] + "".join(rng.choices(TOKENS, k=rng.randint(1, 12))) + text[b:]
        elif change == 5 and len(text) < 5000:
            text = text[:a] + text[a:b] * rng.randint(2, 20) + text[b:]
        else:
            opened, closed = rng.choice(
                (("(", ")"), ("{", "}"), ("\\frac{1}{", "}"), ("\\sqrt{", "}"), ("\\boxed{", "}"))
            )
            depth = rng.choice((1, 2, 30, 300))
            text = text[:a] + opened * depth + text[a:b] + closed * (depth - rng.randint(0, 1)) + text[b:]
    return text


def drawn(rng: Random) -> Response:
    """One response and gold, of any sort."""
    case, other = rng.choice(adversarial.load()), rng.choice(adversarial.load())
    pred, gold = case.pred, case.gold
    sort = rng.random()
    if sort < 0.1:
        pred = "".join(rng.choices(TOKENS, k=rng.choice((1, 5, 30, 200, 3000))))
        pred = f"\\boxed{{{pred}}}" if rng.random() < 0.7 else pred
    elif sort < 0.12:
        pred = rng.choice(TOKENS) * rng.choice((1000, 20_000, 200_000))
    else:
        inner = pred.removeprefix("\\boxed{").removesuffix("}")
        boxed = len(inner) < len(pred) and rng.random() < 0.8
        pred = f"\\boxed{{{mutated(rng, inner, other.gold)}}}" if boxed else mutated(rng, pred, other.pred)
    if rng.random() < 0.3:
        gold = mutated(rng, gold, other.gold)[:400]
    tolerance = rng.choice((0.0, 0.0, 1e-4))
    return Response(pred, gold, Rule(rng.choice((Form.MATHS, Form(case.rule))), tolerance), rng.random() < 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    rng, pool, marks = Random(arguments.seed), Pool(arguments.workers), Counter[str]()
    faults = hangs = texts = 0
    slowest = 0.0
    started = time.monotonic()
    while time.monotonic() - started < 60 * arguments.minutes:
        batch = [drawn(rng) for _ in range(BATCH)]
        began, failed = time.monotonic(), marks[Mark.GRADER_FAILED]
        for several in _marked(batch, pool, rng):
            if isinstance(several, Response):
                faults += 1
                print(json.dumps({"gold": several.gold, "pred": several.text, "rule": several.rule.form}))
                continue
            marks[several] += 1
        texts += len(batch)
        took = time.monotonic() - began
        slowest = max(slowest, took)
        hangs += took > SECONDS_A_BATCH + SECONDS_A_FAILURE * (marks[Mark.GRADER_FAILED] - failed)
    pool.close()
    print(
        f"marker {MARKER_VERSION}, seed {arguments.seed}, {arguments.minutes:g} minutes, {texts:,} texts: "
        f"{faults} faults, {hangs} hangs, {marks[Mark.GRADER_FAILED]:,} grader_failed, slowest {BATCH} "
        f"{slowest:.0f} s; {', '.join(f'{mark} {count:,}' for mark, count in sorted(marks.items()))}"
    )
    sys.exit(1 if faults or hangs else 0)


def _marked(batch: list[Response], pool: Pool, rng: Random) -> list[Mark | Response]:
    """The marks; where the batch raises, each alone, and the response in the place of the mark of one that raises."""
    reading = rng.choice(list(Reading))

    def mark(several: list[Response]) -> list[Mark]:
        whole = mark_all(several, pool) if reading is Reading.RULE else mark_texts(several, pool, reading)
        return [one.mark for one in whole]

    try:
        return list(mark(batch))
    except Exception:
        found: list[Mark | Response] = []
        for one in batch:
            try:
                found += mark([one])
            except Exception:
                traceback.print_exc()
                found.append(one)
        return found


if __name__ == "__main__":
    main()
