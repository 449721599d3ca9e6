"""What the header of an evaluation must say by the plan's decodings and by its folder's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.records.evaluations import EvalRecord
from harness.records.layout import SEPARATOR, EvalFolder
from harness.records.plans import Plan


def named_so(folder: EvalFolder, header: EvalRecord, plan: Plan | None) -> dict[str, str]:
    """What its header must say by the folder's name. Without decodings that is the benchmark's, whatever is in it."""
    decodings = plan is not None and bool(plan.decodings)
    if not decodings and not header.decoding:
        return {"benchmark": folder.root.name}
    benchmark, _, decoding = folder.root.name.partition(SEPARATOR)
    return {"benchmark": benchmark, "decoding": decoding}


def sampled_otherwise(folder: EvalFolder, header: EvalRecord, plan: Plan | None) -> Iterator[tuple[str, Any, Any]]:
    """Name, here and planned of what is not as its decoding has it; its k is bound only where the decoding is not the
    first, which the curve asks otherwise."""
    if plan is None or not plan.decodings or header.folder != folder.root.name:  # the last has been said
        return
    one = plan.decodings.get(header.decoding or next(iter(plan.decodings)))
    if one is None:
        yield "decoding", header.decoding, f"none of that name, but {', '.join(plan.other_decodings)}"
        return
    for name in ("temperature", "top_p", "max_tokens"):
        if header.sampling.get(name) != getattr(one, name):
            yield f"sampling.{name}", header.sampling.get(name), getattr(one, name)
    planned = one.benchmarks.get(header.benchmark)
    if header.decoding and header.k != planned:
        yield "k", header.k, planned
