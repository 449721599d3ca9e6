"""How far the program that samples and the one that learns disagree, where they are two."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.document import Cell, Column, Row, Section, Table, text
from reports.words import GAP

METRICS = {
    "rollout_corr/k3_kl": "KL, nats a token",
    "training/rollout_probs_diff_mean": "mean |Δp|",
    "training/rollout_probs_diff_max": "largest |Δp|",
}
"""verl's names; the first is the estimate r - 1 - log r, which is not negative but for rounding"""


def section(a: Analysis) -> Section | None:
    """None where the backend logs nothing of the kind: its sampler is its learner."""
    if not any(metric in a.run.steps for metric in METRICS):
        return None
    cap = a.run.plan.backend_settings.get("importance_cap")
    corrected = f"corrected by truncated importance sampling at {cap:g}" if cap else "not corrected"
    caption = (
        f"Backend {a.run.plan.backend} samples with one program and learns with another, which give slightly different "
        "probabilities to the same tokens. Over all steps and seeds: KL of the sampler from the learner, and the "
        f"difference of the probabilities of sampled tokens. It is {corrected}."
    )
    columns = [Column("", numeric=False), *map(Column, METRICS.values())]
    rows = [
        Row([text(a.label(arm.name)), *(_cell(a, arm.name, metric) for metric in METRICS)])
        for arm in a.arms
        if arm.name in set(a.run.steps["arm"])
    ]
    return Section("mismatch", "Sampler and learner", [Table("mismatch", columns, rows, caption)])


def _cell(a: Analysis, arm: str, metric: str) -> Cell:
    if metric not in a.run.steps:
        return Cell(GAP)
    values = a.run.steps.loc[a.run.steps["arm"] == arm, metric].astype(float).dropna()
    if values.empty:
        return Cell(GAP)
    value = float(values.max() if metric.endswith("_max") else values.mean())
    return Cell(f"{value:.1e}", value)
