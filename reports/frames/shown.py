"""What results print of themselves: the table of scores, the verdict, and what is not there yet."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from markupsafe import escape

from harness.records.foreign import visible
from reports import writing
from reports.data.analysis import Analysis
from reports.document import Cell, Table
from reports.frames.kinds import Kind
from reports.render import plain
from reports.sections import scores
from reports.words import listing, plural

_MOST_NAMED = 6
_NUMBER = "text-align: right; font-variant-numeric: tabular-nums"


def parts(a: Analysis, kind: Kind, sentences: list[str]) -> tuple[str, list[Table], list[str]]:
    """Of a folder's results: a head, the table of scores, and the sentences with what its signs mean."""
    table, sizes = scores.table(a), [plural(len(a.benchmarks), "benchmark")]
    if kind == "evaluation":  # it has neither arms nor seeds
        rows = [replace(row, cells=row.cells[:-1]) for row in table.rows]
        table = replace(table, columns=table.columns[:-1], rows=rows)
    else:
        sizes = [plural(len(a.arms), "arm"), plural(len(a.run.plan.seeds), "seed"), *sizes]
    legend = [writing.LEGEND] if len(a.rows) > 1 else []
    return f"{a.run.plan.experiment} ({kind}): {', '.join(sizes)}", [table], [*legend, *sentences]


def gaps(missing: pd.DataFrame) -> list[str]:
    """What is not there yet, in a sentence; none where all is there."""
    rows = missing[["arm", "seed", "status"]].drop_duplicates().itertuples(index=False)
    named = [f"{arm} seed {seed} ({status})" if seed >= 0 else f"{arm} ({status})" for arm, seed, status in rows]
    more = [f"{len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
    return [f"Not there yet: {listing([*named[:_MOST_NAMED], *more])}; `missing()` lists all."] if named else []


def text(head: str, tables: list[Table], sentences: list[str]) -> str:
    """For a terminal."""
    return "\n\n".join([head, *map(plain.table, tables), "\n".join(sentences)]).rstrip()


def html(head: str, tables: list[Table], sentences: list[str]) -> str:
    """For a notebook: no style sheet, every text escaped."""
    said = "".join(f"<p>{_said(sentence)}</p>" for sentence in sentences)
    return f"<div><p><b>{_safe(head)}</b></p>{''.join(map(_table, tables))}{said}</div>"


def _table(item: Table) -> str:
    styles = [f' style="{_NUMBER}"' if column.numeric else ' style="text-align: left"' for column in item.columns]
    heads = zip(item.columns, styles, strict=True)
    head = "".join(f"<th{style}>{_safe(column.title)}</th>" for column, style in heads)
    rows = (
        "".join(f"<td{s}>{_cell(cell)}</td>" for cell, s in zip(row.cells, styles, strict=True)) for row in item.rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: Cell) -> str:
    words = f"<b>{_safe(cell.text)}</b>" if cell.bold else _safe(cell.text)
    spread = f" <small>{_safe(cell.spread)}</small>" if cell.spread else ""
    return f"{words}{spread}{f'<sup>{_safe(cell.mark)}</sup>' if cell.mark else ''}"


def _said(sentence: str) -> str:
    """A page is bold where a terminal has a star, and sets in type what that has in backticks."""
    words = sentence.removeprefix(writing.HIGHEST)
    parts = _safe(words).split("`")
    code = [f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)]
    head = "" if words == sentence else "<b>bold</b>: the column's highest"
    return head + ("".join(code) if len(parts) % 2 else "`".join(parts))


def _safe(words: str) -> str:
    return str(escape(visible(words)))
