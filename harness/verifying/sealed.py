"""The chain of seals of a folder, and the seal of its report."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import DataError, Plan, RunFolder, read_json
from harness.records.chain import Break, check
from harness.records.layout import SEAL
from harness.records.seals import FolderSeal, file_hash
from harness.verifying.found import Discrepancy, Verification
from harness.verifying.scope import VerifiedFolder


def chain(scope: VerifiedFolder, made: Verification) -> list[Discrepancy]:
    """What the seals say, weights included. Fills in the state and what a report must rest on."""
    try:
        found = check(scope.root, weights=True)
        made.state, made.evidence = found.state, found.evidence
        if _report_seal(scope):  # which rests on everything but weights, that nothing in it is made of
            made.evidence = check(scope.root).evidence
    except DataError as error:
        return [_unread(scope, error)]
    return [_discrepancy(one) for one in found.breaks]


def report(scope: VerifiedFolder, made: Verification) -> Iterator[Discrepancy]:
    """Whether a run's report is unchanged, and made of the files that are there. Fills in what it is."""
    if scope.kind not in ("run", "import") or scope.run is None or not scope.run.report.is_dir():
        return
    seal, again = scope.run.report / SEAL, f"`rence report {scope.root}` makes it again"
    if not _report_seal(scope):
        made.report = "unsealed"
        if _is_sealed(scope.run):
            yield Discrepancy("missing", seal, "is gone", again)
        return
    try:
        held = FolderSeal.read(seal)
    except DataError as error:
        made.report = "of other files"
        yield Discrepancy("differs", seal, f"cannot be read: {error}".rstrip("."), again)
        return
    for name, value in held.files.items():
        path = scope.run.report / name
        if not path.is_file():
            yield Discrepancy("missing", path, "is gone from the report", again)
        elif file_hash(path) != value:
            yield Discrepancy("differs", path, "was changed after the report was made", again)
    made.report = "of these files" if held.rests_on == made.evidence else "of other files"
    made.notes += [*_let_through(scope.run), *_unlisted(scope.run, held)]
    # Where a file differs or is missing, that the report is of others follows from it.
    if made.report == "of other files" and not made.discrepancies:
        yield Discrepancy("differs", seal, "says that the report was made of other files than are here", again)


def _unlisted(run: RunFolder, held: FolderSeal) -> list[str]:
    """Pages and tables in the report's folder that are not of it."""
    there = (path.relative_to(run.report).as_posix() for path in run.report.rglob("*") if path.is_file())
    left = sorted(name for name in there if name not in held.files and name != SEAL)
    return [f"Not of the report, though in its folder: {', '.join(left)}."] if left else []


def _let_through(run: RunFolder) -> list[str]:
    """What the report says that `--accept` let through; a verdict that cannot be read differs from its seal."""
    try:
        accepted = read_json(run.report / "verdict.json").get("accepted")
    except DataError:
        return []
    if not accepted:
        return []
    return [f"The report was made with `--accept`: {accepted['reason']}. Let through: {'; '.join(accepted['what'])}."]


def _is_sealed(run: RunFolder) -> bool:
    """Whether the run was made when reports had seals; a plan that cannot be read is said by the chain."""
    try:
        return bool(Plan.read(run.plan).seals)
    except DataError:
        return False


def _report_seal(scope: VerifiedFolder) -> bool:
    return scope.kind in ("run", "import") and scope.run is not None and (scope.run.report / SEAL).exists()


def _discrepancy(one: Break) -> Discrepancy:
    return Discrepancy("missing" if one.missing else "differs", one.file, one.what, one.mend)


def _unread(scope: VerifiedFolder, error: DataError) -> Discrepancy:
    """A file that stops the walk: whatever comes after it was not compared."""
    lines = str(error).splitlines()
    what = f"cannot be verified: {lines[0].rstrip('.')}"
    return Discrepancy("differs", scope.root, what, "Bring that file back from a copy: what comes after it is not read")
