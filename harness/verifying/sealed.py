"""The chain of seals of a folder, and the seal of its report."""

from __future__ import annotations

from typing import Literal

from harness.records import DataError, read_json
from harness.records.chain import Chain, check
from harness.records.seals import file_hash
from harness.verifying.found import Discrepancy
from harness.verifying.scope import VerifiedFolder


def chain(scope: VerifiedFolder) -> tuple[Chain, list[Discrepancy]]:
    """What the seals say, weights included; a file that a seal names and that is not there is missing."""
    found = check(scope.root, weights=True)
    return found, [
        Discrepancy("differs" if one.file.exists() else "missing", one.file, one.what, one.mend) for one in found.breaks
    ]


def report(
    scope: VerifiedFolder, evidence: str
) -> tuple[Literal["of these files", "of other files", "unsealed", "none"], list[Discrepancy]]:
    """Whether a run's report is unchanged, and made of the files that are there.

    Args:
        evidence: of the chain.
    """
    if scope.run is None or scope.kind not in ("run", "import") or not scope.run.report.is_dir():
        return "none", []
    folder, again = scope.run.report, f"`rence report {scope.root}` makes it again."
    seal = folder / "seal.json"
    if not seal.exists():
        return "unsealed", []
    try:
        held = read_json(seal)
        files = {str(name): str(value) for name, value in held["files"].items()}
    except (DataError, KeyError, AttributeError) as error:
        return "of other files", [Discrepancy("differs", seal, f"cannot be read: {error}".rstrip("."), again)]
    found = []
    for name, value in files.items():
        path = folder / name
        if not path.is_file():
            found.append(Discrepancy("missing", path, "is gone from the report", again))
        elif file_hash(path) != value:
            found.append(Discrepancy("differs", path, "was changed after the report was made", again))
    if held.get("evidence") != evidence:
        what = "says that the report was made of other files than those that are here"
        return "of other files", [*found, Discrepancy("differs", seal, what, again)]
    return "of these files", found
