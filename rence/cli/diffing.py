"""`rence diff`: what each algorithm does with the same frozen rollout batch."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.base.errors import UserError, need
from harness.records import TrialFolder, write_bytes, write_json, write_text
from harness.records.foreign import cell
from rence.cli import completion
from rence.cli.accepting import Accept
from rence.cli.console import Json, command, out, print_json
from rence.cli.diff_tables import Document, screen

if TYPE_CHECKING:
    from reports.data.checked import Checked


def add_to(app: typer.Typer) -> None:
    command(app)(diff)


def diff(
    algorithms: Annotated[
        list[str],
        typer.Argument(
            metavar="ALGORITHM ALGORITHM...",
            help="Names of `rence list algorithms`, or `all`. Variants: grpo:clip_high=0.4,kl_coef=0.",
            autocompletion=completion.algorithms,
            show_default=False,
        ),
    ],
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A recorded batch (`record_steps`), or a .jsonl of verl's `trainer.rollout_data_dir`; "
            "one of the quickstart if not given.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="DIR", help="The policy, for a dump of verl's.", show_default=False)
    ] = None,
    correct_above: Annotated[
        float | None,
        typer.Option(
            "--correct-above", metavar="X", help="In a dump of verl's, a score above it is correct.", show_default=False
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for diff.json, weights.csv, diff.svg and diff.png.", show_default=False),
    ] = None,
    accept: Accept = None,
    json: Json = False,
) -> None:
    """What each algorithm does with the same frozen rollout batch: weights of rollouts and tokens, gradients and their
    cosines, and the rows of the spec sheets that differ."""
    need("rence diff", "torch", "transformers")
    from harness.diff.asked import parse

    asked = parse(algorithms)
    # Refused before the gradients are computed, which takes a while.
    if to is not None and to.exists() and not to.is_dir():
        raise UserError(f"--out {to} is a file. It must be a folder, or a name for a new one.")
    from harness.diff.compare import compare
    from harness.diff.frozen import read

    checked = _checked(batch, accept)
    document = compare(asked, read(batch, model, correct_above)) | (checked.to_json() if checked else {})
    files = _write(to, document) if to else []
    if json:
        print_json(document)
        return
    for part in [*screen(document), *(checked.sentences if checked else [])]:
        out().print(part)
    for file in files:
        out().print(str(file))


def _checked(batch: Path | None, accept: str | None) -> Checked | None:
    """Of the trial that recorded a batch; None if it is no trial's. Raises: BrokenSeal."""
    from reports.data.checked import check

    inside = [] if batch is None else [batch, *batch.parents]
    trial = next((place for place in inside if TrialFolder(place).trial.exists()), None)
    return check(trial, accept) if trial else None


def _write(folder: Path, document: Document) -> list[Path]:
    import reports

    vector, raster = reports.diff_picture(document)
    write_json(folder / "diff.json", document)
    write_text(folder / "weights.csv", _weights(document))
    write_text(folder / "diff.svg", vector)
    write_bytes(folder / "diff.png", raster)
    return [folder / name for name in ("diff.json", "weights.csv", "diff.svg", "diff.png")]


def _weights(document: Document) -> str:
    """A row for each algorithm and rollout."""
    batch, text = document["batch"], io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["algorithm", "rollout", "problem_id", "correct", "tokens", "sequence_weight", "token_weight"])
    for one in document["algorithms"]:
        for row, problem in enumerate(batch["problem"]):
            label, length = int(batch["label"][row]), batch["length"][row]
            weights = one["sequence_weight"][row], one["token_weight"][row]
            named = cell(one["label"]), row, cell(str(problem))
            writer.writerow([*named, label, length, *(f"{weight:.6g}" for weight in weights)])
    return text.getvalue()
