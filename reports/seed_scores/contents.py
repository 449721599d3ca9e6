"""All files of the report of a run with scores alone, and what a terminal shows of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from reports.document import Cell, Column, Row, Table, text
from reports.render import csv, latex, markdown, plain
from reports.seed_scores import as_json, best_step, found, sections_of
from reports.seed_scores.compared import ComparedScores
from reports.seed_scores.sentences import sentences


def compared(run: Path, accept: str | None = None) -> ComparedScores:
    """A run, read, checked and compared. Raises: as `found.read`."""
    return ComparedScores(found.read(run, accept))


def contents(a: ComparedScores, formats: Collection[str]) -> dict[str, str]:
    """File name -> text, of the formats in `render.FORMATS` that are asked for."""
    files: dict[str, str] = {}
    doc = sections_of.document(a) if {"html", "md"} & set(formats) else None
    if doc and "html" in formats:
        from reports.render import html

        files["index.html"] = html.document(doc)
    if doc and "md" in formats:
        files["report.md"] = markdown.document(doc)
    if "tex" in formats:
        files["table.tex"] = latex.table(sections_of.score_table(a), "scores")
        if a.family("primary"):
            files["differences.tex"] = latex.table(sections_of.difference_table(a), "differences")
    if "csv" in formats:
        files["results.csv"] = csv.table(_tidy(a))
        if a.run.has_curves:
            rows = [row for column in a.run.columns for row in best_step.found(a, column)]
            files["best_checkpoint.csv"] = csv.table(sections_of.best_table(a, rows, "best", "", True))
    if "json" in formats:
        files["verdict.json"] = json.dumps(as_json.to_json(a), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if doc:
        files |= {f"figures/{figure.name}.svg": figure.svg for figure in doc.figures}
    return files


def _tidy(a: ComparedScores) -> Table:
    """A row for each arm, seed and benchmark where it is compared."""
    rows = [
        Row([text(arm), Cell(str(seed), seed), text(column), Cell(repr(score), score)])
        for (arm, column), side in a.run.by_seed.items()
        for seed, score in sorted(side.items())
    ]
    heads = [Column("arm", False), Column("seed"), Column("benchmark", False), Column("score")]
    return Table("results", heads, rows)


def summary(a: ComparedScores) -> str:
    """The table of scores in plain text, and the verdict below it."""
    return "\n".join([plain.table(sections_of.score_table(a)), "* the column's highest", "", *sentences(a)])
