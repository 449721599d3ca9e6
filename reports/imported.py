"""What a report says of a run that `rence import` made: what is not known of it, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.origins import ImportedFile
from reports.data.load import Run
from reports.document import Block, Column, Folded, Row, Section, Table, text
from reports.words import GAP, count, listing

EXPLORATORY = "imported: nothing was planned before the results were seen, so the comparison is exploratory"
MATCHING_UNKNOWN = "matching of training unknown"


def provenance(run: Run, problems: Table) -> Section:
    """The files that were imported, by their hashes."""
    plan, record = run.plan, run.imported
    facts = [("plan", plan.lock), ("imported from", plan.imported), ("model", plan.model), ("template", plan.template)]
    facts += [("engine", _seen(run, "engine", "engine_version")), ("marker", _seen(run, "grader_version"))]
    facts += [(key, _words(value)) for key, value in (record.options if record else {}).items()]
    columns = [Column("", numeric=False), Column("", numeric=False)]
    table = Table("provenance", columns, [Row([text(key), text(value)]) for key, value in facts])
    blocks: list[Block] = [table, Folded("Problems", [problems])]
    if record:
        blocks.append(Folded("Files", [files_table(record.files)]))
    return Section("provenance", "Provenance", blocks)


def files_table(files: Sequence[ImportedFile]) -> Table:
    """The files that were read, with what the command said of them."""
    columns = [Column("File", numeric=False), Column("Named", numeric=False), Column("Bytes"), Column("sha256", False)]
    rows = [Row([text(f["path"]), text(_name(f)), text(count(f["bytes"])), text(f["sha256"])]) for f in files]
    return Table("sources", columns, rows, "Paths as they were given to the import.")


def _name(file: ImportedFile) -> str:
    """`grpo/seed0`, as in the command"""
    numbers = {"seed": file.get("seed"), "step": file.get("step")}
    return "/".join(
        [file.get("arm", GAP), *(f"{key}{number}" for key, number in numbers.items() if number is not None)]
    )


def _seen(run: Run, *columns: str) -> str:
    return listing(
        sorted({" ".join(dict.fromkeys(map(str, row))) for row in zip(*(run.evals[c] for c in columns), strict=True)})
    )


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
