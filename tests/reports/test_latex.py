"""The tables compiled by a real pdflatex, as a paper would read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import reports
from tests.reports.conftest import relock

PDFLATEX = shutil.which("pdflatex")
SIX = {
    "math500": (60, 4),
    "aime24": (30, 8),
    "aime25": (30, 8),
    "amc23": (40, 8),
    "minerva_math": (50, 4),
    "olympiadbench": (70, 4),
}
PAPER = r"""\documentclass[11pt]{article}
\usepackage[margin=2.5cm]{geometry}
\usepackage{booktabs,graphicx}
\begin{document}
\input{table.tex}
\input{differences.tex}
\end{document}
"""


@pytest.fixture
def report(make_run) -> Path:
    gains = {"rence": 0.9, "grpo": 0.6, "dapo": 0.7, "online_dpo": 0.3}
    run = make_run(gains=gains, benchmarks=SIX, curve=("math500",))
    reports.build(run, ["tex"])
    return run / "report"


def test_rows_and_columns_of_the_papers_table(report: Path) -> None:
    rows = [line for line in (report / "table.tex").read_text().splitlines() if line.endswith(r"\\")]
    head = [cell.strip() for cell in rows[0].removesuffix(r"\\").split("&")]
    six = ["MATH-500", "AIME 2024", "AIME 2025", "AMC 2023", "Minerva", "OlympiadBench"]
    assert head == ["", "Average", "Pooled", *six, "Seeds"]
    names = [row.partition("&")[0].strip() for row in rows[1:]]
    assert names == ["start (untrained)", "ReNCE (reconstruction)", "GRPO", "DAPO", "Online DPO"]


@pytest.mark.skipif(PDFLATEX is None, reason="needs pdflatex, from texlive-latex-recommended")
def test_a_paper_with_both_tables_compiles_and_nothing_is_too_wide(report: Path) -> None:
    (report / "paper.tex").write_text(PAPER)
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=report, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout and "Missing character" not in done.stdout
    assert (report / "paper.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.skipif(PDFLATEX is None, reason="needs pdflatex, from texlive-latex-recommended")
def test_hostile_names_compile(make_run, tmp_path: Path) -> None:
    run = make_run(gains={"a_b": 0.5, "c": 0.1}, benchmarks={"x_1": (20, 2), "y": (20, 2)}, curve=())
    plan = (run / "plan.json").read_text().replace('"title": "c"', r'"title": "\\input{x} $ % & # ~ ^ {é} 数"')
    (run / "plan.json").write_text(plan)
    relock(run)
    (path,) = (path for path in reports.build(run, ["tex"]) if path.name == "table.tex")
    (tmp_path / "paper.tex").write_text(PAPER.replace("table.tex", str(path)).replace(r"\input{differences.tex}", ""))
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
