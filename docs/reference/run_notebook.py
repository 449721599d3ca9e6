"""Run the cells of a notebook in their order, in this process, and write their outputs into it: `make reference`.

    python docs/reference/run_notebook.py docs/examples/compare.ipynb

What Jupyter would show: what was printed, the last expression of a cell as text and HTML, and every figure as PNG. The
cells run in a copy of the notebook's folder, so nothing else in it changes.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any


def run(path: Path) -> dict[str, Any]:
    """The notebook with its outputs."""
    import matplotlib

    matplotlib.use("Agg")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as work:
        folder = shutil.copytree(path.parent, Path(work) / "notebook")
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        with contextlib.chdir(folder):
            for number, cell in enumerate(code, 1):
                cell["execution_count"] = number
                cell["outputs"] = _outputs("".join(cell["source"]), names, number)
    return notebook


def _outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Of one cell; an error in it ends the program."""
    from matplotlib import pyplot

    body, printed = ast.parse(source).body, io.StringIO()
    # a cell's last expression is its value, but for one that ends in a semicolon
    last = body.pop() if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";") else None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
        value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names) if last else None  # type: ignore[attr-defined]
    found: list[dict[str, Any]] = []
    if printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(value._repr_html_())
        found.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    for place in pyplot.get_fignums():
        picture = io.BytesIO()
        pyplot.figure(place).savefig(picture, format="png", dpi=80, metadata={"Software": None})
        data = {"image/png": base64.b64encode(picture.getvalue()).decode()}
        found.append({"data": data, "metadata": {}, "output_type": "display_data"})
    pyplot.close("all")
    return found


def _lines(words: str) -> list[str]:
    return words.splitlines(keepends=True)


def main() -> None:
    """Writes the notebook named on the command line, with its outputs."""
    path = Path(sys.argv[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    path.write_text(json.dumps(run(path), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
