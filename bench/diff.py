"""What `rence diff` takes for every algorithm on the shipped batch, part by part: processor and wall time.

OMP_NUM_THREADS=1 python bench/diff.py [--batch FOLDER] [ALGORITHM ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def part(name: str) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    print(f"{name:<24}{time.process_time() - cpu:>8.2f}{time.perf_counter() - wall:>8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithms", nargs="*", default=["all"])
    parser.add_argument("--batch", type=Path)
    options = parser.parse_args()
    print(f"{'seconds':<24}{'cpu':>8}{'wall':>8}")
    with part("import"):
        import reports
        from harness.diff.asked import parse
        from harness.diff.compare import compare
        from harness.diff.frozen import read
    asked = parse(options.algorithms)
    with part("read the batch"):
        frozen = read(options.batch, None, None)
    with part(f"compare {len(asked)} algorithms"):
        document = compare(asked, frozen)
    with part("draw"):
        reports.diff_picture(document)


if __name__ == "__main__":
    main()
