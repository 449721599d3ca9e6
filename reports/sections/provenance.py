"""Where the numbers come from: the lock, weights, data order, problems, versions."""

from __future__ import annotations

from collections import defaultdict

from reports import imported
from reports.data import decoded
from reports.data.analysis import Analysis
from reports.document import Bullets, Column, Folded, Row, Section, Table, text
from reports.words import GAP, listing


def section(a: Analysis) -> Section:
    if a.run.plan.imported:
        return imported.provenance(a.run, _benchmarks(a))
    plan, records = a.run.plan, [trial.record for trial in a.run.trials.values()]
    # A plan of one decoding names none: then its settings are among the evaluation's.
    told = [f"{name}: {decoded.words(one)}" for name, one in plan.decodings.items()]
    facts = [
        ("plan", plan.lock),
        ("backend", plan.backend),
        ("model", f"{plan.model} ({plan.model_hash})"),
        ("training set", _training_set(a)),
        ("template", plan.template),
        (
            "evaluation",
            ", ".join(f"{key} {value}" for key, value in plan.evaluation.items() if key != "decodings") or GAP,
        ),
        *([("decodings", "; ".join(told))] if told else []),
        ("engine", _versions(a, "engine", "engine_version")),
        ("marker", _versions(a, "grader_version")),
    ]
    rows = [Row([text(key), text(value)]) for key, value in facts]
    orders = {seed: sorted({r.data_order for r in records if r.seed == seed}) for seed in plan.seeds}
    weights = sorted({r.initial_weights for r in records})
    rows += [Row([text(f"data order, seed {seed}"), text(listing(order) or GAP)]) for seed, order in orders.items()]
    rows.append(Row([text("initial weights"), text(listing(weights) or GAP)]))
    columns = [Column("", numeric=False), Column("", numeric=False)]
    blocks = [Table("provenance", columns, rows)]
    return Section(
        "provenance",
        "Provenance",
        [*blocks, Folded("Problems", [_benchmarks(a)]), Folded("Versions", [_environment(a)])],
    )


def _training_set(a: Analysis) -> str:
    data = a.run.data
    if data is None:
        return a.run.plan.train
    removed = ", ".join(f"{count:,} {reason}" for reason, count in data.removed.items())
    left_out = f"; left out: {removed}" if removed else ""
    kept = ", ".join(f"{count:,} {reason}" for reason, count in data.kept.items())
    learnt = f"; learnt from though they are evaluated: {kept}" if kept else ""
    return f"{data.train} ({data.hash}), {data.problems:,} problems{left_out}{learnt}"


def _versions(a: Analysis, *columns: str) -> str:
    if a.run.evals.empty:
        return GAP
    seen = {" ".join(map(str, row)) for row in zip(*(a.run.evals[column] for column in columns), strict=True)}
    return listing(sorted(seen))


def _benchmarks(a: Analysis) -> Table:
    headers = a.run.evals.drop_duplicates(["benchmark"]).set_index("benchmark")
    rows = []
    for name in a.benchmarks:
        if name in headers.index:
            problems, rule, version = (headers.at[name, c] for c in ("problems", "rule", "benchmark_hash"))
            k = a.run.plan.benchmarks[name]
            rows.append(Row(list(map(text, (a.benchmark_title(name), name, problems, k, rule or GAP, version)))))
    titles = {"Benchmark": False, "Name": False, "Problems": True, "k": True, "Equal": False, "Version": False}
    return Table("benchmarks", [Column(title, numeric) for title, numeric in titles.items()], rows)


def _environment(a: Analysis) -> Bullets | Table:
    """Every version seen; where trials differ, who had which."""
    seen: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (arm, seed), trial in a.run.trials.items():
        for key, value in trial.record.environment.items():
            seen[key][value].append(f"{arm}/{seed}")
    if not seen:
        return Bullets(["No trial has recorded its environment."])
    rows = [Row([text(key), text(_who(values))]) for key, values in sorted(seen.items())]
    return Table("environment", [Column("", numeric=False), Column("", numeric=False)], rows)


def _who(values: dict[str, list[str]]) -> str:
    if len(values) == 1:
        return next(iter(values))
    return "; ".join(f"{value} ({len(trials)} trials)" for value, trials in sorted(values.items()))
