"""A gate's result: in words, as a table, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.records import SCHEMA
from reports.data.checked import Checked
from reports.data.dependence import NOT_STUDIED, DependsOn
from reports.data.readings import FormatPart
from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.gate.decide import ALPHA, SINGLE_ALPHA, Decision, GateOutcome, ScoreChange
from reports.gate.hints import Evidence, hints, margin_words
from reports.gate.results import GateResults
from reports.gate.saved import Saved
from reports.gate.sharpen import Sharper
from reports.render import plain
from reports.verdict import COVERS, span
from reports.words import GAP, listing, p_text, percent, plural, signed

Policy = Literal["fail", "warn"]
"""what an inconclusive gate does"""
_TEST = (
    "one-sided bounds, paired by problem, exact where few problems differ, else t (seeds crossed, Satterthwaite); "
    "benchmarks: Bonferroni"
)
_SEQUENTIAL = "; group-sequential, alpha t^2 spent over the looks"
POLICIES: tuple[Policy, ...] = ("fail", "warn")


@dataclass(frozen=True)
class Gate:
    run: str
    baseline: str
    """the file"""
    new: GateResults
    old: GateResults
    decision: Decision
    sharper: Sharper | None
    """of an inconclusive one"""
    unmatched: list[str]
    unstated: list[str]
    """settings that neither side tells"""
    notes: list[str]
    on_inconclusive: Policy
    ids: Mapping[str, tuple[str, ...]]
    """benchmark -> ids of the problems, as the counts have them"""
    checked: Checked
    """whether RUN's files are sealed, and what was let through"""
    differs: Sequence[str]
    """what is not as in the baseline, and may differ"""
    saved: Saved | None = None
    """of a gate that looked while answers came in"""
    depends: DependsOn = NOT_STUDIED
    """what the sign of the average's change depends on; of a gate that looked nothing is known"""

    @property
    def outcome(self) -> GateOutcome:
        """What was decided, whatever `on_inconclusive` makes of it."""
        return self.decision.outcome

    @property
    def passed(self) -> bool:
        """Whether the command ends with 0."""
        return self.outcome in (GateOutcome.PASS, GateOutcome.IMPROVEMENT) or self.warned

    @property
    def warned(self) -> bool:
        """Whether it is inconclusive and the command ends with 0 all the same."""
        return self.outcome == GateOutcome.INCONCLUSIVE and self.on_inconclusive == "warn"

    @property
    def columns(self) -> list[tuple[str, ScoreChange, bool]]:
        """Benchmark or `average`, its change, and whether it fails the gate."""
        d = self.decision
        average_failed = d.by_average in (GateOutcome.REGRESSION, GateOutcome.INCONCLUSIVE)
        benchmarks = zip(self.old.benchmarks, d.benchmarks, d.failed, strict=True)
        return [(AVERAGE, d.average, average_failed), *benchmarks]

    @property
    def parts(self) -> dict[str, FormatPart]:
        """Benchmark or `average` -> what of its change is format; a missing key is a gap."""
        found = {}
        for name, old in self.old.benchmarks.items():
            new = self.new.benchmarks.get(name)
            if new and new.mean_anywhere is not None and old.mean_anywhere is not None:
                anywhere = new.mean_anywhere - old.mean_anywhere
                found[name] = FormatPart(anywhere, new.mean - old.mean - anywhere)
        if len(found) == len(self.old.benchmarks):
            n = len(found)
            sums = [sum(getattr(one, part) for one in found.values()) / n for part in ("anywhere", "format")]
            found[AVERAGE] = FormatPart(*sums)
        return found

    @property
    def points(self) -> str:
        """The margin in words, such as `2 points`."""
        return margin_words(self.decision.margin)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.new, self.old, self.ids, self.decision, self.sharper)

    def text(self) -> str:
        """For a terminal: the two sides, the table, the verdict with what it rests on, the notes."""
        head = (
            f"run       {self.run} ({self.new.arm})\n"
            f"baseline  {self.baseline}, made from {self.old.made_from} ({self.old.arm})"
        )
        return "\n\n".join([head, plain.table(table(self)), "\n".join([*sentences(self), *self.remarks])])

    @property
    def remarks(self) -> list[str]:
        """What a reader must know beside the numbers."""
        told = [f"Differs, which is not refused: {'; '.join(self.differs)}."] if self.differs else []
        return [*told, *self.notes]

    @property
    def matched(self) -> bool | None:
        """None if that is not known: what neither side states is not known to match."""
        return False if self.unmatched or self.checked.accepted else None if self.unstated else True

    def to_json(self) -> dict[str, Any]:
        """For `rence gate --json`; scores, changes and margins are fractions, None where there is none."""
        d = self.decision
        names, parts = list(self.old.benchmarks), self.parts
        # what a script needs to decide otherwise than we do is there, levels and margins among it
        return {
            "schema": SCHEMA,
            "run": self.run,
            "baseline": self.baseline,
            "made_from": self.old.made_from,
            "outcome": self.outcome.value,
            "passed": self.passed,
            "on_inconclusive": self.on_inconclusive,
            "verdict": " ".join(sentences(self)),
            "margin": d.margin,
            "alpha": ALPHA,
            "alpha_single_benchmarks": SINGLE_ALPHA,
            "target": d.average.estimate.estimand,
            "test": _TEST + (_SEQUENTIAL if self.saved else ""),
            "equal_answers": d.equal,
            "sequential": self.saved and self.saved.to_json() | {"alpha_of_look": d.levels.average},
            "seeds": {"run": len(self.new.seeds), "baseline": len(self.old.seeds)},
            "average": _change_json(d.average) | {"outcome": d.by_average.value} | _readings_json(parts.get(AVERAGE)),
            "per_benchmark": {
                name: _change_json(change)
                | {"p_lost_more_than_margin": p, "failed": failed}
                | {"k": self.new.benchmarks[name].one_k, "k_baseline": self.old.benchmarks[name].one_k}
                | _readings_json(parts.get(name))
                for name, change, p, failed in zip(names, d.benchmarks, d.p_lost_more, d.failed, strict=True)
            },
            "passing_margin": None if self.outcome == GateOutcome.REGRESSION else d.average.passing_margin,
            "provable_margin": d.average.provable_margin,
            "times_problems_needed": self.sharper and self.sharper.problems,
            "times_samples_needed": self.sharper and self.sharper.samples,
            "matched": self.matched,
            "unmatched": self.unmatched,
            **self.checked.to_json(),
            "differs": list(self.differs),
            "depends_on": list(self.depends.found),
            "notes": self.remarks,
        }


def table(gate: Gate) -> Table:
    """The average first: it decides."""
    titles = ["", "problems", "k", "baseline", "run", "change", "one-sided 95 %", "result"]
    columns = [Column(title, numeric=title not in ("", "result")) for title in titles]
    return Table("gate", columns, [_row(gate, *column) for column in gate.columns])


def _row(gate: Gate, name: str, change: ScoreChange, failed: bool) -> Row:
    counts = gate.new.benchmarks.get(name)
    k = sorted({k for c in ([counts] if counts else gate.new.benchmarks.values()) for k in c.k})
    lost = f"lost more than {gate.points}" if failed else ""
    result = gate.decision.by_average.value if name == AVERAGE else lost
    scores = [Cell(percent(change.old)), Cell(percent(change.new)), Cell(signed(change.estimate.value))]
    title = text(gate.new.titles.get(name, name))
    return Row([title, Cell(f"{change.problems:,}"), Cell(span(k)), *scores, Cell(bounds(change)), text(result)])


def bounds(change: ScoreChange) -> str:
    """`−1.2 to +0.8`; nothing where nothing can be said."""
    return f"{signed(change.bounds[0])} to {signed(change.bounds[1])}" if change.bounds else GAP


def sentences(gate: Gate) -> list[str]:
    """The verdict, then what it rests on."""
    small = gate.outcome == GateOutcome.PASS and _below(gate.decision.average)
    return [
        verdict(gate),
        *gate.checked.sentences,
        *(["Let through, for `--on-inconclusive warn`."] if gate.warned else []),
        *(["A loss is shown: it is smaller than the margin."] if small else []),
        *([part.sentence("the change")] if (part := gate.parts.get(AVERAGE)) and part.shown else []),
        *([gate.saved.sentence()] if gate.saved else []),
        *gate.depends.sentences,
        *hints(gate.evidence),
        _basis(gate),
    ]


def _below(average: ScoreChange) -> bool:
    return average.bounds is not None and average.bounds[1] < 0


def verdict(gate: Gate) -> str:
    """The first sentence: the benchmarks that fail the gate by themselves, or else the average."""
    lost = [f"{name} ({_sure(change)}, adjusted p {p_text(p)})" for name, change, p in _failed(gate)]
    if lost:
        return f"Regression: {listing(lost)} lost more than {gate.points}; the average: {_sure(gate.decision.average)}."
    return by_average(gate)


def by_average(gate: Gate) -> str:
    """What the average alone says."""
    d = gate.decision
    if d.equal:
        return "Pass: every answer is the baseline's, text by text."
    if d.average.identical:
        return _nothing_differs(gate)
    if d.average.bounds is None:
        return f"Inconclusive: {signed(d.average.estimate.value)} points on the average, and these data give no bounds."
    words = {
        GateOutcome.IMPROVEMENT: "Pass, and an improvement: the average is above the baseline",
        GateOutcome.PASS: f"Pass: the average has not lost {gate.points} or more",
        GateOutcome.REGRESSION: "Regression: the average is below the baseline",
        GateOutcome.INCONCLUSIVE: f"Inconclusive: the average may have lost {gate.points} or more, or nothing",
    }
    return f"{words[d.by_average]}: {_sure(d.average)}."


def _nothing_differs(gate: Gate) -> str:
    d, n, sure = gate.decision, f"{gate.decision.average.problems:,}", _sure(gate.decision.average)
    if d.average.bounds is None:
        these = "Pass: on these problems no score differs; how much answers vary is not in it, with one a problem."
        return these if d.by_average == GateOutcome.PASS else "Inconclusive: no score differs, and there are no bounds."
    if d.by_average == GateOutcome.PASS:
        return f"Pass: no problem's score differs, and {n} of them rule out a loss of {gate.points}: {sure}."
    return f"Inconclusive: no problem's score differs, but {n} cannot rule out a loss of {gate.points}: {sure}."


def _failed(gate: Gate) -> list[tuple[str, ScoreChange, float | None]]:
    d = gate.decision
    rows = zip(gate.old.benchmarks, d.benchmarks, d.p_lost_more, d.failed, strict=True)
    return [(name, change, p) for name, change, p, failed in rows if failed]


def _sure(change: ScoreChange) -> str:
    return f"{signed(change.estimate.value)} points, {bounds(change)}"


def _basis(gate: Gate) -> str:
    covered = gate.decision.average.estimate.estimand
    new, old = len(gate.new.seeds), len(gate.old.seeds)
    who = f"{plural(new, 'checkpoint' if covered == 'checkpoints' else 'seed')} against {old}"
    over = " over all looks" if gate.saved else ""
    benchmarks = plural(len(gate.old.benchmarks), "benchmark")
    return (
        f"One-sided 95 % bounds of the average of {benchmarks}{over}, paired by problem, "
        f"{who}, about {COVERS[covered]}; bounds of single benchmarks hold each alone, and one fails by a "
        f"Bonferroni-adjusted p of at most 1 %; "
        f"{_matched(gate)}."
    )


def _matched(gate: Gate) -> str:
    how = "matched"
    if gate.checked.accepted:
        how = gate.checked.words
    elif gate.unstated:
        how = f"matching unknown, for {listing(gate.unstated)}"
    return "; ".join([*gate.checked.unsealed, how])


def _readings_json(part: FormatPart | None) -> dict[str, Any]:
    return {"readings": part.to_json()} if part else {}


def _change_json(change: ScoreChange) -> dict[str, Any]:
    e, (low, high) = change.estimate, change.bounds or (None, None)
    return {
        "baseline": change.old,
        "run": change.new,
        "delta": e.value,
        "se": e.se or None,
        "df": e.stated_df,
        "lower": low,
        "upper": high,
        "n_problems": change.problems,
        "identical": change.identical,
    }
