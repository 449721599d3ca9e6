"""RUN against a baseline file, look by look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.records import EvalRecord
from reports.gate import checks, growing, looks, reading, remembering
from reports.gate.baseline import MARGIN_POINTS
from reports.gate.growing import Answered
from reports.gate.looks import Equal, Looked, LookPlan, Sides
from reports.gate.remembering import GateRecord
from reports.gate.results import Counts, GateResults, ids_hash
from reports.gate.running import attempts, check_matched, same_answers, values
from reports.gate.saved import Saved
from reports.gate.undecided import NotDecided
from reports.gate.verdict import Gate, Policy
from reports.words import listing, plural


def run(
    name: str,
    file: Path,
    margin: float | None,
    accept: str | None,
    on_inconclusive: Policy,
    command: str = "",
) -> Gate:
    """
    Args:
        accept: why a mismatch or a broken seal does not matter; None: it does.
        command: what evaluates further, where the caller knows it.
    Raises: NotDecided; DataError, Unmatched, ValueError: see `reports.gate_by_looks`.
    """
    baseline = reading.read(file, MARGIN_POINTS / 100)
    old = baseline.results
    asked = baseline.margin if margin is None else margin
    # another baseline or margin than the looks before were made with would be a second test: refused before a look
    record = remembering.remembered(Path(name), remembering.record_of(file, asked, command))
    answered = growing.read(name, old.benchmarks, accept)
    new = answered.measured.results
    checks.check_same_problems(name, new, str(file), old)
    reasons = check_matched(name, new, file, baseline, accept)
    plan = looks.plan({benchmark: counts.n for benchmark, counts in old.benchmarks.items()})

    def cut(size: dict[str, int]) -> Sides:
        return values(*answered.cut(size, old))

    made = looks.look(plan, answered.there, cut, asked, _equal(answered, old), attempts(new, old))
    remembering.remember(Path(name), record, plan, made)
    if not made or not made[-1].reason:
        raise NotDecided(_go_on(name, answered, plan, made, record))
    one, other = answered.cut(made[-1].size, old)
    return Gate(
        run=name,
        baseline=file.as_posix(),
        new=one,
        old=other,
        decision=made[-1].decision,
        sharper=None,
        unmatched=reasons,
        unstated=checks.unstated(new, old),
        notes=checks.notes(answered.measured, old),
        on_inconclusive=on_inconclusive,
        ids={benchmark: tuple(sorted(answered.orders[benchmark][:n])) for benchmark, n in made[-1].size.items()},
        checked=answered.measured.checked.letting(reasons, accept),
        differs=checks.listed(new, old),
        saved=_saved(answered, plan, made),
    )


def _equal(answered: Answered, old: GateResults) -> Equal:
    new = answered.measured.results
    if answered.complete and all(counts.answers for counts in new.benchmarks.values()):
        return Equal.YES if same_answers(new, old) else Equal.NO
    same = new.seeds == old.seeds and all(new.benchmarks[name].k == one.k for name, one in old.benchmarks.items())
    return Equal.OPEN if same and all(one.answers for one in old.benchmarks.values()) else Equal.NO


def _go_on(name: str, answered: Answered, plan: LookPlan, made: Sequence[Looked], record: GateRecord) -> str:
    there, needed = sum(answered.there.values()), sum(plan.sizes[len(made)].values())
    begun = record.command or f"rence eval ... --out {name} --gate {record.baseline} --sequential"
    return (
        f"{name}: not decided yet after {plural(len(made), 'look')} of {len(plan.sizes)}: the next one needs "
        f"{needed:,} of {sum(plan.whole.values()):,} problems, and {there:,} are answered.\nTo go on: {begun}"
    )


def _saved(answered: Answered, plan: LookPlan, made: Sequence[Looked]) -> Saved:
    k = {name: sum(counts.k) for name, counts in answered.measured.results.benchmarks.items()}
    needed, there, planned = (
        sum(n * k[name] for name, n in size.items()) for size in (made[-1].size, answered.there, plan.whole)
    )
    return Saved(len(made), len(plan.sizes), made[-1].reason, needed, there, planned)


def planned(
    file: Path, headers: Iterable[EvalRecord], ids: Mapping[str, Sequence[str]], out: Path, accept: str | None
) -> list[dict[str, int]]:
    """Of an evaluation that is about to begin or to go on: how many problems of each benchmark each look needs.

    Raises: DataError if the baseline is broken; ValueError if it is about something else, or another gate looks at the
        folder already.
    """
    baseline = reading.read(file, MARGIN_POINTS / 100)
    old, asked = baseline.results, {header.benchmark: header for header in headers}
    missing, more = sorted(old.benchmarks.keys() - asked.keys()), sorted(asked.keys() - old.benchmarks.keys())
    if missing or more:
        words = [f"{file} has {listing(missing)}, which is not asked" if missing else ""]
        words += [f"{listing(more)} is not in {file}" if more else ""]
        raise ValueError(
            f"`--gate`: {' and '.join(filter(None, words))}.\nAsk the benchmarks of the baseline and no others: "
            f"{', '.join(old.benchmarks)}."
        )
    new = _to_be_asked(asked, ids)
    checks.check_same_problems("the evaluation", new, str(file), old)
    check_matched("the evaluation", new, file, baseline, accept)
    remembering.remembered(out, remembering.record_of(file, baseline.margin))
    return looks.plan({name: len(ids[name]) for name in old.benchmarks}).sizes


def _to_be_asked(headers: Mapping[str, EvalRecord], ids: Mapping[str, Sequence[str]]) -> GateResults:
    """What the evaluation will be, with no answer yet."""
    first = next(iter(headers.values()))
    return GateResults(
        made_from="",
        arm=first.arm,
        models={},
        template=first.template,
        marker=first.grader_version,
        sampling=first.sampling,
        limit=first.limit,
        benchmarks={
            name: Counts(header.benchmark_hash, ids_hash(sorted(ids[name])), (header.k,), (), rule=header.rule)
            for name, header in headers.items()
        },
        engine=first.engine,
    )
