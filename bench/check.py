"""Whether the ratios of the last `make bench` hold against those that are stored: exit code 1 where one does not.

    PYTHONPATH=. python bench/check.py [--within 0.1] [--update]

bench/baseline.json has every `ratio` of bench/results by the table and row it stands in; texts and whole numbers of the
row are its name, so work that is no longer the same (other tokens, other losses) is a row that is missing. Ratios of
processor seconds hold on other machines of the kind better than seconds do; where the baseline is of another processor
that is said. `--update` stores what was measured now.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.page import RESULTS, tables

BASELINE = Path(__file__).with_name("baseline.json")
WITHIN = 0.1
"""that a ratio may be below its baseline, as a share of it"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--within", type=float, default=WITHIN)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    found, processor = measured(RESULTS)
    if arguments.update:
        BASELINE.write_text(json.dumps({"processor": processor, "ratios": found}, indent=1) + "\n", encoding="utf-8")
        print(f"{BASELINE.name}: {len(found)} ratios.")
        return
    stored = json.loads(BASELINE.read_text(encoding="utf-8"))
    if stored["processor"] != processor:
        print(f"The baseline is of another processor, {stored['processor']}; this is {processor}.")
    lines, fell = compared(stored["ratios"], found, arguments.within)
    print("\n".join(lines))
    sys.exit(1 if fell else 0)


def measured(results: Path) -> tuple[dict[str, float], str]:
    """Name -> ratio, of every file of results; and the processor of the last."""
    found, processor = {}, ""
    for path in sorted(results.glob("*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        processor = said.get("processor") or processor
        for title, rows in tables(said["results"]):
            for row in rows:
                named = [str(value) for value in row.values() if isinstance(value, str | int)]
                for key, value in row.items():
                    if key.startswith("ratio") and isinstance(value, float):
                        found[": ".join([path.stem, *filter(None, [title]), ", ".join(named), key])] = round(value, 4)
    return found, processor


def compared(stored: Mapping[str, float], found: Mapping[str, float], within: float) -> tuple[list[str], list[str]]:
    """A line for each ratio, and the names of those that fell or are not there any more."""
    lines, fell = [], []
    for name, before in stored.items():
        now = found.get(name)
        bad = now is None or now < before * (1 - within)
        fell += [name] if bad else []
        change = "not measured" if now is None else f"{now:.3g} ({100 * (now / before - 1):+.0f} %)"
        lines.append(f"{'FELL' if bad else 'ok  '} {name}: {before:.3g} -> {change}")
    lines += [f"new  {name}: {now:.3g}" for name, now in found.items() if name not in stored]
    return lines, fell


if __name__ == "__main__":
    main()
