"""Run a notebook with Jupyter's kernel and write the outputs into it: `make reference`.

    python docs/reference/run_notebook.py docs/examples/compare.ipynb

The cells run in a copy of the notebook's folder, so nothing else in it changes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, without the times at which cells ran.

    Raises: nbformat.ValidationError for a file that is no notebook; CellExecutionError with the cell that failed.
    """
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    with tempfile.TemporaryDirectory() as work:
        folder = shutil.copytree(path.parent, Path(work) / "notebook")
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", record_timing=False)
        return client.execute(cwd=str(folder))


def main() -> None:
    """Writes the notebook named on the command line, with its outputs."""
    path = Path(sys.argv[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    os.environ["NO_COLOR"] = "1"
    found = run(path)
    found.metadata["language_info"] = {"name": "python"}  # which Python it was is not the notebook's
    nbformat.write(found, path)


if __name__ == "__main__":
    main()
