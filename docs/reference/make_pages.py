"""Write the reference pages from the code's own words: `make reference`.

python docs/reference/make_pages.py            writes them
python docs/reference/make_pages.py --check    says which are not as they would be written; ends with 1 if one is
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import make_commands
import make_experiment
import make_files
import make_python

FOLDER = Path(__file__).parent
PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": make_commands.page,
    "experiment.md": make_experiment.page,
    "files.md": make_files.page,
    "python.md": make_python.page,
}


def main() -> None:
    """Writes or checks, by the command line."""
    made = {FOLDER / name: page() for name, page in PAGES.items()}
    if "--check" in sys.argv[1:]:
        old = [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
        sys.exit(f"{', '.join(old)}: not as the code has it. Next: make reference" if old else 0)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
