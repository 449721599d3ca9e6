"""What a tool's file of results says of all answers of another file: model, version, template and decoding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.importing.rows import UNKNOWN, Facts
from harness.importing.shapes.family import FactPlaces, Family
from harness.records.files import read_foreign_json


def results_of(path: Path, family: Family | None) -> Path | None:
    """The file of results that belongs to a file of answers; None if there is none."""
    if family is None or family.facts is None:
        return None
    pattern, place = family.facts.file
    match = re.fullmatch(pattern, path.as_posix())
    found = Path(match.expand(place)) if match else None
    return found if found and found.is_file() else None


def facts(path: Path, family: Family | None) -> Facts:
    """Of one file of answers. Raises: DataError for results that are no JSON."""
    results = results_of(path, family)
    if results is None or family is None or family.facts is None:
        return Facts()
    return _facts(read_foreign_json(results), family.facts, family.told(path).get("benchmark", ""))


def _facts(results: Mapping[str, Any], places: FactPlaces, benchmark: str) -> Facts:
    """What stands at these places; what does not is unknown."""

    def said(place: str) -> Any:
        """At a path, in which a benchmark's name may hold dots."""
        found: Any = results
        for step in place.split(".") if place else ():
            found = found.get(step.replace("{benchmark}", benchmark)) if isinstance(found, dict) else None
        return found if place else None

    sampling: dict[str, Any] = {}
    for place in places.sampling:
        value = said(place)
        # of a single setting 0 is none, as of examples in the prompt
        named = value if isinstance(value, dict) else {place.rpartition(".")[2]: value or None}
        sampling |= {key: inner for key, inner in named.items() if inner is not None}
    limit = said(places.limit)
    return Facts(
        model=_word(said(places.model)),
        engine_version=_word(said(places.version)),
        template=_template(results, places.template),
        sampling=sampling,
        limit=int(limit) if isinstance(limit, int | float) and limit >= 1 else None,
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value else UNKNOWN


def _template(results: Mapping[str, Any], key: str) -> str:
    """Which chat template was used, by its hash."""
    if not key or key not in results:
        return UNKNOWN
    return f"chat template {str(results[key])[:12]}" if results[key] else "no chat template"
