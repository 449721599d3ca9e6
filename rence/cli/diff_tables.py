"""What `rence diff` shows on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from rence.cli.console import table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MOST_COLUMNS = 4
"""algorithms that stand side by side; more stand below each other"""
MOST_LAYERS = 6
"""layers of a model that are shown; all are in the JSON"""
NEIGHBOURS = 3
GAP = "—"

Document = Mapping[str, Any]

_LENGTH = (
    "|weight| of a rollout goes with its length to this power, among rollouts of equal label and P of K: with 1 every "
    "token counts the same, with 0 every rollout."
)
_KEY = (
    "up, down, at 0: kept rollouts by the sign of their weight. token weights: the middle 90 % of them, in units of "
    f"their mean size.\nlength exp.: {_LENGTH}"
)
_KEY_MANY = (
    "norm: of the gradient. kept: groups. up, down, at 0: % of kept rollouts by the sign of their weight. clipped: % "
    f"of tokens.\nlen: of correct (+) and incorrect (−) rollouts; {_LENGTH}"
)


def screen(document: Document) -> Iterator[str | Text | Table]:
    """What `rence diff` shows of its document, part by part. Up to `MOST_COLUMNS` algorithms stand side by side, which
    is how two are compared; more of them as rows, with their nearest neighbours in the place of all pairs."""
    from rich.text import Text

    yield _headline(document["batch"])
    for note in document["batch"]["notes"]:
        yield f"Note: {note}"
    many = len(document["algorithms"]) > MOST_COLUMNS
    if many:
        yield f"\nThe rows of the spec sheets that differ: in --json, or of at most {MOST_COLUMNS} algorithms."
    elif document["differences"]:
        yield Text("\nWhat the spec sheets say otherwise", style="bold")
        yield _differences(document)
    else:
        yield "\nThe spec sheets do not differ."
    yield Text("\nOn this batch", style="bold")
    yield _rows(document) if many else _columns(document)
    yield _KEY_MANY if many else _KEY
    yield Text("\nCosine of gradients", style="bold")
    yield _neighbours(document) if many else _cosines(document)
    if not many:
        yield Text("\nMean weight of a correct / an incorrect rollout", style="bold")
        yield _compositions(document)
        yield "In units of the algorithm's mean |weight| of a rollout."


def _headline(batch: Document) -> str:
    origin = batch["origin"]
    if batch["source"] == "verl":
        whence = f"{origin['file']} (verl, step {origin['step']}) under {origin['model']}"
    else:
        shipped = ", shipped" if batch["source"] == "shipped" else ""
        whence = f"{origin['experiment']}/{origin['arm']}/seed{origin['seed']}, step {origin['step']}{shipped}"
    moved = (
        "on-policy: all ratios are 1"
        if batch["on_policy"]
        else f"off the sampler by {batch['log_ratio']['rms']:.3f} nats a token (rms)"
    )
    return (
        f"{batch['groups']} groups, {batch['rollouts']} rollouts ({batch['correct']} correct), "
        f"{batch['tokens']:,} tokens: {whence}; {moved}"
    )


def _labels(document: Document) -> list[str]:
    return [one["label"] for one in document["algorithms"]]


def _side_by_side(document: Document, first: str, rows: Sequence[tuple[str, Sequence[str]]], numeric: bool) -> Table:
    """A column for each algorithm."""
    shown = table(first, *_labels(document))
    for column in shown.columns:
        column.overflow = "fold"
    for column in shown.columns[1:] if numeric else ():
        column.justify = "right"
    for name, cells in rows:
        shown.add_row(name, *cells)
    return shown


def _differences(document: Document) -> Table:
    rows = [(key, [cell or GAP for cell in cells]) for key, cells in document["differences"].items()]
    return _side_by_side(document, "", rows, numeric=False)


_MEASURES = {
    "loss": lambda one, _: _number(one["loss"]),
    "gradient norm": lambda one, _: _number(one["gradient_norm"]),
    "groups kept": lambda one, batch: f"{one['groups_kept']} of {batch['groups']}",
    "rollouts up, %": lambda one, _: _percent(one["rollouts"]["up"]),
    "rollouts down, %": lambda one, _: _percent(one["rollouts"]["down"]),
    "rollouts at 0, %": lambda one, _: _percent(one["rollouts"]["none"]),
    "tokens at 0, %": lambda one, _: _percent(one["tokens"]["none"]),
    "tokens clipped, %": lambda one, _: _percent(one["tokens"]["clipped"]),
    "token weights, 90 %": lambda one, _: _extent(one["tokens"]["quantiles"]),
    "length exp., correct": lambda one, _: _exponent(one, "correct"),
    "length exp., incorrect": lambda one, _: _exponent(one, "incorrect"),
}


def _columns(document: Document) -> Table:
    rows = [
        (name, [tell(one, document["batch"]) for one in document["algorithms"]]) for name, tell in _MEASURES.items()
    ]
    return _side_by_side(document, "", rows, numeric=True)


def _rows(document: Document) -> Table:
    columns = ("norm", "kept", "up", "down", "at 0", "clipped", "len +", "len −")
    shown = table("", *columns, numbers=columns)
    shown.columns[0].overflow = "fold"
    for one in document["algorithms"]:
        rollouts = one["rollouts"]
        shown.add_row(
            one["label"],
            f"{one['gradient_norm']:.2g}",
            str(one["groups_kept"]),
            *(_percent(rollouts[key], 0) for key in ("up", "down", "none")),
            _percent(one["tokens"]["clipped"]),
            *(_exponent(one, side) for side in ("correct", "incorrect")),
        )
    return shown


def _neighbours(document: Document) -> Table:
    """The most alike of each, in the place of a matrix."""
    shown = table("", f"nearest {NEIGHBOURS}")
    shown.columns[0].overflow, shown.columns[0].max_width = "fold", 28
    for place, label in enumerate(_labels(document)):
        shown.add_row(label, _nearest(document, place))
    return shown


def _nearest(document: Document, place: int) -> str:
    cosine = document["cosine"]["overall"][place]
    others = [
        (value, label) for i, (value, label) in enumerate(zip(cosine, _labels(document), strict=True)) if i != place
    ]
    known = sorted(((value, label) for value, label in others if value is not None), key=lambda pair: -pair[0])
    return ", ".join(f"{label} {_cosine(value)}" for value, label in known[:NEIGHBOURS]) or GAP


def _cosines(document: Document) -> Table:
    """A row for each pair, a column for all parameters together and for each layer, or some of many."""
    names = [layer["name"] for layer in document["layers"]]
    if len(names) > MOST_LAYERS:
        names = [names[round(i * (len(names) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]
    matrices = {"all": document["cosine"]["overall"], **{name: document["cosine"]["layers"][name] for name in names}}
    shown = table("", *matrices, numbers=tuple(matrices))
    shown.columns[0].overflow = "fold"
    labels = _labels(document)
    for i, j in combinations(range(len(labels)), 2):
        shown.add_row(f"{labels[i]}, {labels[j]}", *(_cosine(matrix[i][j]) for matrix in matrices.values()))
    return shown


def _compositions(document: Document) -> Table:
    tables = [one["composition"] for one in document["algorithms"]]
    rows = [
        (f"{first['positives']} of {first['size']} ({first['groups']})", [_both(one[i]) for one in tables])
        for i, first in enumerate(tables[0])
    ]
    return _side_by_side(document, "P of K (groups)", rows, numeric=True)


def _both(row: Document) -> str:
    if not row["groups_kept"]:
        return "dropped"
    return " / ".join(GAP if row[side] is None else _signed(row[side]["mean"]) for side in ("correct", "incorrect"))


def _exponent(one: Document, side: str) -> str:
    return _signed(one["length"][side]["sequence"]["exponent"]).removeprefix("+")


def _extent(quantiles: Mapping[str, float] | None) -> str:
    return GAP if quantiles is None else f"{_signed(quantiles['0.05'])} to {_signed(quantiles['0.95'])}"


def _signed(value: float | None) -> str:
    """`+1.20`, `−0.31`, `0`"""
    if value is None:
        return GAP
    text = f"{value:+.2f}".replace("-", "−")
    return "0" if text[1:] == "0.00" else text


def _cosine(value: float | None) -> str:
    return GAP if value is None else f"{value:.2f}".replace("-", "−").replace("0.", ".")


def _number(value: float | None) -> str:
    return GAP if value is None else f"{value:.4g}".replace("-", "−")


def _percent(share: float | None, digits: int = 1) -> str:
    return GAP if share is None else f"{100 * share:.{digits}f}"
