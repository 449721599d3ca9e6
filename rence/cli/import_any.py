"""`rence import PATH...`: files whose shape is found, read and written, or shown only."""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from benchmarks.marks import Reading
from rence.cli.console import out, print_json
from rence.cli.import_options import Shared, show, summary
from rence.cli.import_words import (
    Above,
    Arm,
    Benchmark,
    DryRun,
    Filter,
    HowToRead,
    Latest,
    Mark,
    Metric,
    Paths,
    Places,
    Rule,
    Seed,
    Tolerance,
    Workers,
    columns_of,
    given,
    how_marked,
    marker_of,
)

if TYPE_CHECKING:
    from harness.importing.marking import Marker
    from harness.importing.recognised import AnyOptions


DEFAULT = "any"
"""the source where the command names none"""


class SourceOrPath(TyperGroup):
    """`import SOURCE PATH...`, and `import PATH...` where the first word is no source, or is a path that exists."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """With the source that finds out itself, where the words name none."""
        asks_for_help = bool(args) and args[0] in ctx.help_option_names
        names_source = bool(args) and args[0] in self.commands and not Path(args[0]).exists()
        if args and not asks_for_help and not names_source:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def command_of(name: str, says: str, family: str | None = None) -> Callable[..., None]:
    """`rence import PATH...`, or `rence import NAME PATH...` for the files of one tool alone: others are refused.

    Args:
        says: what `--help` prints.
        family: what the tool's files are called.
    """

    def run(**arguments: Any) -> None:
        _recognised(family, **arguments)

    signature = inspect.signature(_recognised, eval_str=True)
    own = [one for one in signature.parameters.values() if one.name != "family"]
    run.__name__, run.__doc__ = name, says
    run.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    return run


def _recognised(
    family: str | None,
    paths: Paths,
    shared: Shared,
    column: Places = None,
    arm: Arm = None,
    seed: Seed = None,
    benchmark: Benchmark = None,
    filter: Filter = None,
    metric: Metric = None,
    above: Above = None,
    latest: Latest = False,
    mark: Mark = False,
    reading: HowToRead = Reading.RULE,
    rule: Rule = None,
    tolerance: Tolerance = None,
    workers: Workers = None,
    dry_run: DryRun = False,
) -> None:
    """With a family its files alone."""
    from harness.importing import recognised as source
    from harness.importing.shapes.families import named

    only = named(family) if family else None
    asked = source.AnyOptions(
        columns_of(column), arm, seed, benchmark, above, filter or (), metric or (), latest, shared.common, only
    )
    # options of the marker ask for marks of ours
    how = how_marked(reading, rule, tolerance)
    marker = marker_of(mark or any(value is not None for value in how.values()), reading, rule, tolerance, workers)
    options = given(
        column=column, arm=arm, seed=seed, benchmark=benchmark, filter=filter, metric=metric, correct_above=above,
        latest=latest, mark=mark, **how,
    )  # fmt: skip
    bring_any(paths, asked, marker, options, shared, dry_run)


def bring_any(
    paths: list[str], asked: AnyOptions, marker: Marker | None, options: dict[str, Any], shared: Shared, dry_run: bool
) -> None:
    """Recognise the files, read them, write the run folder, and show what was made of them.

    Args:
        options: those that were given; they are part of the plan's lock.
        dry_run: write it beside, and take it away.
    Raises: UserError or DataError with the file; nothing is written then.
    """
    from harness.importing import folder, own_marks, recognised, sources
    from harness.importing.import_plan import ImportComparison
    from harness.importing.shapes import saying
    from harness.importing.shapes.missing import Command

    if not dry_run:
        folder.check_free(shared.to, shared.clean)
    files = sources.find(paths, recognised.files_in, recognised.LOOKED_FOR)
    found = recognised.recognise(files, asked, marker, Command(paths, _rest(paths)))
    wanted = ImportComparison(shared.target, tuple(shared.baseline or ()), shared.estimand, shared.step)
    options = {**options, **({"common": True} if shared.common else {})}
    # a dry run writes the folder too, somewhere else: what it shows is what would be made
    with tempfile.TemporaryDirectory() as scratch:
        to = Path(scratch) / shared.to.name if dry_run else shared.to
        rows = own_marks.beside(recognised.read_all(found, asked))
        made = folder.write(rows, found.shape.name, options, wanted, to, shared.common)
    said = saying.said(found.shape, found.whose, len(found.files), made.design.final())
    if shared.json:
        print_json({"recognised": said, "written": not dry_run, **summary(made, shared.to)})
        return
    out().print(said)
    show(made, shared.to, dry_run)


def _rest(paths: list[str]) -> list[str]:
    """The options of what was typed, as they were typed."""
    words = sys.argv[1:]
    words = words[words.index("import") + 1 :] if "import" in words else []
    left = list(paths)
    rest = []
    for word in words:
        if word in left:
            left.remove(word)
        elif word not in ("any", "--dry-run", "--json"):
            rest.append(word)
    return rest
