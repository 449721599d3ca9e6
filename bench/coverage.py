"""Whether the statistics of a report are right: intervals, tests and promises of power against known truth.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/coverage.py [--replicates 2000] [--only NAME]

Prints Markdown. One process, the same numbers every time. See docs/statistics.md, which holds the tables.

NAME is a part of what a study or a group of rows at the edges is called: others, grid, stress, families, permutations,
commands; two seeds, mixed seeds, collapse, edge (floor and ceiling), shared order, six benchmarks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from bench import grid
from bench.commands import print_commands
from bench.edge_tables import print_rows
from bench.edges import run
from bench.nulls import families, permutations
from bench.rows import ROWS
from bench.tables import table


def print_families(replicates: int) -> None:
    print("Families of tests, on the average of six benchmarks, arms that do not differ\n")
    table(*families(replicates))


def print_permutations(replicates: int) -> None:
    print("Permutation tests of arms that do not differ\n")
    table(*permutations(replicates))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--bootstraps", type=int, default=400, help="replicates of the bootstraps of the grid")
    parser.add_argument("--commands", type=int, default=40, help="replicates of a row through the commands")
    parser.add_argument("--only", default="", metavar="NAME", help="studies and groups of rows with this in their name")
    options = parser.parse_args()
    n, start = options.replicates, time.process_time()
    studies: dict[str, Callable[[], None]] = {
        "others": lambda: grid.print_named(n, options.bootstraps),
        "grid": lambda: grid.print_grid(list(grid.grid(n))),
        "stress": lambda: grid.print_stress(n),
        "families": lambda: print_families(n),
        "permutations": lambda: print_permutations(n),
        "commands": lambda: print_commands(options.commands),
    }
    rows = [row for row in ROWS if options.only in f"{row.group}: {row.name}"]
    chosen = [study for name, study in studies.items() if options.only in name]
    if not rows and not chosen:
        parser.error(f"nothing is called `{options.only}`")
    for study in chosen:
        study()
    if rows:
        print_rows(run(row, n) for row in rows)
    print(f"{time.process_time() - start:.0f} cpu-seconds")


if __name__ == "__main__":
    main()
