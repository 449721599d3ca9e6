"""Writes the file that ships, from the rules: `python -m benchmarks.adversarial.build`.

Each kind has a generator of its own, seeded by `SEED` and its name: a kind that is changed or added moves no other.
"""

from __future__ import annotations

import json
from random import Random

from benchmarks.adversarial.cases import CaseKind, SuiteCase
from benchmarks.adversarial.registry import KINDS
from benchmarks.adversarial.suite import FILE

SEED = "rence-adversarial 1"
EACH = 64
"""cases of a kind"""
MOST_CALLS = 400
"""a kind that finds no new case in so many calls has too little variety"""


def cases_of(kind: CaseKind) -> list[SuiteCase]:
    """The kind's cases in the order in which they are drawn, no pair of gold and response twice.

    Raises: ValueError for a kind with too little variety, or with two verdicts on one pair.
    """
    rng = Random(f"{SEED}/{kind.name}")
    found: dict[tuple[str, str], SuiteCase] = {}
    for _ in range(MOST_CALLS):
        for case in kind.make(rng):
            known = found.setdefault((case.gold, case.pred), case)
            if known.expected is not case.expected:
                raise ValueError(f"`{kind.name}` has two verdicts on {case.pred!r} for {case.gold!r}.")
        if len(found) >= EACH:
            return list(found.values())[:EACH]
    raise ValueError(f"`{kind.name}` makes {len(found)} different cases, and {EACH} are asked for.")


def lines() -> list[str]:
    """The file's lines, one case a line."""
    return [
        json.dumps(row(kind, number, case), ensure_ascii=False)
        for kind in KINDS.values()
        for number, case in enumerate(cases_of(kind))
    ]


def row(kind: CaseKind, number: int, case: SuiteCase) -> dict[str, object]:
    """One case as it ships; `rule` and `tolerance` only where they are not `maths` and 0."""
    made: dict[str, object] = {
        "id": f"{kind.name}/{number:02d}",
        "kind": kind.name,
        "group": kind.group.value,
        "gold": case.gold,
        "pred": case.pred,
        "expected": int(case.expected),
        "reason": case.reason,
    }
    if case.rule != "maths":
        made["rule"] = case.rule
    if case.tolerance:
        made["tolerance"] = case.tolerance
    return made


if __name__ == "__main__":
    FILE.write_text("".join(f"{line}\n" for line in lines()), encoding="utf-8")
    print(f"{FILE}: {len(KINDS)} kinds, {len(KINDS) * EACH:,} cases")
