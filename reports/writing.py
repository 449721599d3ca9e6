"""The report folder, and what the terminal shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.records import DataError, RunFolder, json_text, write_text
from harness.records.files import real_path
from harness.records.layout import SEAL
from harness.records.scores_alone import scores_only
from harness.records.seals import FolderSeal
from reports import verdict, verdict_json
from reports.data import pass_at_k
from reports.data.agreement import analysed
from reports.data.analysis import Analysis
from reports.data.checked import Checked
from reports.render import FORMATS, csv, latex, markdown, plain
from reports.sections import differences, effects, flips, pass_tables, scores
from reports.sections.registry import Others, document
from reports.seed_scores import contents as seed_scores

HIGHEST = "* the column's highest"
LEGEND = f"{HIGHEST}; ≈: not separated from it; †: differs significantly from the arm that is compared"
"""of the table of scores in plain text"""


def build(
    run: Path,
    formats: Collection[str],
    out: Path | None,
    others: Others | None,
    only_common: bool = False,
    accept: str | None = None,
) -> list[Path]:
    """Write the report's files, each whole or not at all, and return their paths, the page first.

    What an earlier report left in another format stays if it was made of the same files, and is deleted if not.

    Args:
        formats: some of `render.FORMATS`.
        out: the folder; None: `report/` in the run's.
        only_common: of each benchmark the problems that all have.
        accept: why a broken seal or a mismatch does not matter.

    Raises: ValueError for an unknown format; else as `agreement.analysed`.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ValueError(f"`{unknown[0]}` is no report format. Allowed: {', '.join(FORMATS)}.")
    if scores_only(run):
        of_seeds = seed_scores.compared(run, accept)
        checked, files = of_seeds.run.checked, seed_scores.contents(of_seeds, formats)
    else:
        analysis = analysed(run, accept, only_common)
        checked, files = analysis.checked, contents(analysis, formats, others)
    folder = out or RunFolder(run).report
    earlier = _earlier(folder, checked.evidence, files)
    # last, as with every seal: where it is, what it speaks of is whole
    files[SEAL] = _seal(checked, files, earlier)
    for name, content in files.items():
        write_text(folder / name, content)
    return [folder / name for name in files]


def _earlier(folder: Path, evidence: str, files: Mapping[str, str]) -> dict[str, str]:
    """Files of an earlier report that are still true, with the hashes they had; those that are not are deleted.

    Args:
        evidence: of the report that is made now.
        files: of it.
    """
    try:
        held = FolderSeal.read(folder / SEAL) if (folder / SEAL).exists() else FolderSeal({}, "")
    except DataError:  # it is made anew
        return {}
    inside = real_path(folder)  # a seal is a file like others, and may name anything
    others = {
        name: digest
        for name, digest in held.files.items()
        if name not in files and (path := real_path(folder / name)).is_relative_to(inside) and path.is_file()
    }
    if held.rests_on == evidence:
        return others
    for name in others:
        (folder / name).unlink()
    return {}


def _seal(checked: Checked, files: Mapping[str, str], earlier: Mapping[str, str]) -> str:
    """What the report was made from, and the SHA-256 of each of its files."""
    hashes = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
    return json_text(FolderSeal(dict(sorted({**earlier, **hashes}.items())), checked.evidence).to_json())


def contents(a: Analysis, formats: Collection[str], others: Others | None = None) -> dict[str, str]:
    """File name -> text."""
    files = {}
    doc = document(a, others) if {"html", "md"} & set(formats) else None
    if doc and "html" in formats:
        from reports.render import html

        files["index.html"] = html.document(doc)
    if doc and "md" in formats:
        files["report.md"] = markdown.document(doc)
    if "tex" in formats:
        files["table.tex"] = latex.table(scores.table(a), "scores")
        if a.family("primary"):
            files["differences.tex"] = latex.table(differences.primary(a), "differences")
        files |= {f"{table.name}.tex": latex.table(table, table.name) for table in effects.tables(a)}
    if "csv" in formats:
        files["results.csv"] = csv.table(scores.tidy(a))
        files["problems.csv"] = csv.table(flips.problems(a))
        if pass_at_k.is_asked(a):
            files["pass_at_k.csv"] = csv.table(pass_tables.tidy(a))
        if a.run.plan.sweeps:
            files["effects.csv"] = csv.table(effects.tidy(a))
    if "json" in formats:
        files["verdict.json"] = (
            json.dumps(verdict_json.to_json(a), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        )
    if doc:
        files |= {f"figures/{figure.name}.svg": figure.svg for figure in doc.figures}
    return files


def summary(run: Path, accept: str | None = None) -> str:
    """The table of scores in plain text, and the verdict below it. Raises: as `build`."""
    if scores_only(run):
        return seed_scores.summary(seed_scores.compared(run, accept))
    a = analysed(run, accept)
    table = plain.table(scores.table(a))
    return "\n".join([table, LEGEND, "", *verdict.sentences(a)])
