"""The page, Markdown, LaTeX and figures: well formed, self-contained, escaped, and the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import reports
from reports.document import Cell, Column, Row, Table
from reports.figures.curves import Line, curves
from reports.figures.intervals import IntervalRow, intervals
from reports.figures.labels import spread
from reports.render import csv, latex, markdown, plain
from tests.reports.conftest import relock

HOSTILE = "\u202e\u0000<script>alert(1)</script> & \\input{x} | *b* $x$ % _ ~ # `c` {"
VOID = {"meta", "br", "wbr", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Balanced tags, ids, links and loose scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()


@pytest.fixture(scope="module")
def built(default_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    reports.build(default_run, out=out)
    return out


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_files_of_a_report(built: Path) -> None:
    names = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert names == {
        "index.html", "report.md", "table.tex", "differences.tex", "results.csv", "problems.csv", "pass_at_k.csv",
        "verdict.json", "seal.json", "figures/stability.svg",
        "figures/scores.svg", "figures/differences.svg", "figures/curve-rollouts.svg",
        "figures/curve-updates.svg", "figures/curve-tokens.svg",
        "figures/passing.svg", "figures/passing-mini_easy.svg", "figures/passing-mini_hard.svg", "figures/lengths.svg",
        "figures/spending.svg", "figures/cost-cpu.svg",
    }  # fmt: skip


def test_page_is_well_formed(built: Path) -> None:
    page = Page(read(built / "index.html"))
    assert page.stack == []
    assert len(page.ids) == len(set(page.ids))
    anchors = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert anchors and {str(anchor).removeprefix("#") for anchor in anchors} <= set(page.ids)
    assert sum(tag == "svg" for tag, _ in page.tags) == 12
    assert sum(tag == "h1" for tag, _ in page.tags) == 1


def test_page_loads_nothing_and_allows_only_its_own_code(built: Path) -> None:
    text = read(built / "index.html")
    page = Page(text)
    assert "http://" not in text and "https://" not in text and "//" not in text.split("<script>")[0].replace("/>", "")
    for tag, attrs in page.tags:
        assert "style" not in attrs and not any(key.startswith("on") for key in attrs), (tag, attrs)
        assert tag not in {"link", "img", "iframe", "object", "embed", "form", "base"}
        for key in ("src", "href"):
            assert str(attrs.get(key) or "#").startswith("#"), (tag, attrs)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", text))
    policy = next(
        a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy and policy.startswith("default-src 'none';") and "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_text_is_escaped_everywhere(make_run) -> None:
    run = make_run()
    plan = (run / "plan.json").read_text(encoding="utf-8")
    (run / "plan.json").write_text(plan.replace('"GRPO"', json.dumps(HOSTILE)), encoding="utf-8")
    relock(run)
    reports.build(run)
    out = run / "report"
    page = read(out / "index.html")
    assert "<script>alert" not in page and page.count("<script>") == 1 and Page(page).stack == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page
    assert "<script>" not in read(out / "report.md") and "\\|" in read(out / "report.md")
    assert "\\input" not in read(out / "table.tex")
    for figure in (out / "figures").glob("*.svg"):
        assert not [e for e in ElementTree.fromstring(read(figure)).iter() if e.tag.endswith("script")]


def test_figures_are_small_clean_svg(built: Path) -> None:
    for path in (built / "figures").glob("*.svg"):
        text = read(path)
        root = ElementTree.fromstring(text)
        assert len(text) < 40_000
        assert not [e for e in root.iter() if "style" in e.attrib or e.tag.endswith(("}style", "}metadata"))]
    curve = read(built / "figures/curve-rollouts.svg")
    # 2 arms x 3 seeds x (start and 2 points) dots, and a band for each arm
    assert curve.count('fill-opacity="0.5"') == 18 and curve.count('fill-opacity="0.13"') == 2
    assert ">start<" in curve and ">GRPO<" in curve and ">ReNCE (rec.)<" in curve


def test_markdown_tables_have_equal_rows(built: Path) -> None:
    widths: list[set[int]] = []
    for block in re.split(r"\n\n", read(built / "report.md")):
        rows = [line for line in block.split("\n") if line.startswith("|")]
        if rows:
            widths.append({len(re.split(r"(?<!\\)\|", row)) for row in rows})
    assert len(widths) >= 10 and all(len(width) == 1 for width in widths)


def test_markdown_names_the_figures_that_are_written(built: Path) -> None:
    for name in re.findall(r"\]\((figures/[^)]*)\)", read(built / "report.md")):
        assert (built / name).exists()


def test_latex_table_is_balanced(built: Path) -> None:
    for name in ("table.tex", "differences.tex"):
        text = read(built / name)
        assert text.isascii()
        assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", text):
            depth += 1 if brace == "{" else -1
            assert depth >= 0
        assert depth == 0 and len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
        body = text.split("\\toprule\n")[1].split("\\bottomrule")[0]
        rows = [line for line in body.split("\n") if line.endswith("\\\\")]
        columns = len(re.findall(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", text)[0])
        assert rows and {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns}
    assert r"\midrule" in read(built / "table.tex") and r"$\approx$" in read(built / "table.tex")


def test_latex_escapes() -> None:
    assert latex.escape("a_b & 50 % {x} \\y ≥ ~ −1 ☃") == (
        r"a\_b \& 50 \% \{x\} \textbackslash{}y $\geq$ \textasciitilde{} $-$1 ?"
    )


TABLE = Table(
    "t",
    [Column("arm", numeric=False), Column("score")],
    [
        Row([Cell("start"), Cell("40.0", 0.4, spread="38.0–42.0")], quiet=True),
        Row([Cell("a|b"), Cell("55.3", 0.5534, spread="43.2–67.4", mark="†", bold=True)]),
    ],
    "What it is.",
)


def test_one_table_in_every_format() -> None:
    assert markdown.table(TABLE) == (
        "| arm | score |\n| :--- | ---: |\n| start | 40.0 38.0–42.0 |\n| a\\|b | **55.3** 43.2–67.4† |\n\n*What it is.*"
    )
    assert csv.table(TABLE) == "arm,score\nstart,0.4\na|b,0.5534\n"
    assert latex.table(TABLE, "x").split("\n")[6:15] == [
        r"\begin{tabular}{@{}lr@{}}",
        r"\toprule",
        r"arm & score \\",
        r"\midrule",
        r"start & 40.0\,{\scriptsize 38.0--42.0} \\",
        r"\midrule",
        r"a|b & \textbf{55.3}\,{\scriptsize 43.2--67.4}\rlap{\textsuperscript{$\dagger$}} \\",
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    assert plain.table(TABLE).split("\n") == [
        "arm               score",
        "-----------------------",
        "start   40.0 38.0–42.0",
        "a|b    *55.3 43.2–67.4†",
    ]


def test_labels_are_pushed_apart_in_order() -> None:
    assert spread([10, 12, 90], gap=12, top=100) == [10, 22, 90]
    assert spread([99, 98, 97], gap=10, top=100) == [100, 90, 80]
    assert spread([], gap=10, top=100) == []


def test_summary_is_plain(default_run: Path) -> None:
    text = reports.summary(default_run)
    lines = text.split("\n")
    assert lines[0].split() == ["Average", "Pooled", "mini_easy", "mini_hard", "Seeds"]
    assert lines[2].startswith("start (untrained)") and lines[3].startswith("ReNCE (reconstruction)")
    assert "\x1b" not in text and "arms matched; as planned." in text


def test_same_files_same_bytes(default_run: Path, built: Path, tmp_path: Path) -> None:
    """Again in another process, with another hash seed, another working folder and another time zone."""
    code = f"import reports; reports.build({str(default_run)!r}, out={str(tmp_path)!r})"
    root = Path(reports.__file__).parent.parent
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(root), "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    files = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in files if (built / name).read_bytes() != (tmp_path / name).read_bytes()] == []


def test_only_the_cost_block_knows_times(make_run, built: Path) -> None:
    run = make_run()
    for path in run.rglob("timing.json"):
        changed = read(path).replace("61.5", "999.5").replace("60.0", "70.0").replace('"attempts": 1', '"attempts": 4')
        path.write_text(changed, encoding="utf-8")
    reports.build(run)
    changed = [
        p.name
        for p in sorted(built.rglob("*.*"))
        if p.read_bytes() != (run / "report" / p.relative_to(built)).read_bytes()
    ]
    assert changed == ["cost-cpu.svg", "index.html", "report.md", "seal.json"], "which has the hashes of the others"
    for name in ("index.html", "report.md"):
        one, other = read(built / name), read(run / "report" / name)
        assert "999.5" in other and reports.without_cost(one) == reports.without_cost(other)


def test_importing_reports_is_cheap() -> None:
    code = "import sys, reports; print(*{'numpy', 'pandas', 'scipy', 'matplotlib', 'torch'} & set(sys.modules))"
    root = Path(reports.__file__).parent.parent
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root).stdout
    assert found.strip() == ""


def test_one_evaluation_stands_for_two_points_that_its_step_passed(make_run) -> None:
    """20 steps of 50 rollouts, points at 500 and 1000: as if one step had passed both, the first is not evaluated."""
    run = make_run()
    for arm in ("rence", "grpo"):
        for seed in (0, 1, 2):
            place = run / arm / f"seed{seed}"
            shutil.rmtree(place / "evals/step_10")
            lines = read(place / "steps.jsonl").split("\n")
            (place / "steps.jsonl").write_text("\n".join([*lines[:9], *lines[19:]]), encoding="utf-8")
    reports.build(run)
    assert "No mean" not in read(run / "report/report.md")
    # 6 trials: all begin at the start, and both points of each are drawn at 1003 rollouts
    root = ElementTree.fromstring(read(run / "report/figures/curve-rollouts.svg"))
    dots = [e.get("x") for e in root.iter() if e.tag.endswith("use") and e.get("fill-opacity") == "0.5"]
    assert sorted(Counter(dots).values()) == [6, 12]


def test_a_long_name_leaves_room_for_the_picture() -> None:
    name = "an arm with a name that goes on and on for longer than any picture is wide" * 3
    entries = [IntervalRow(name, 1.0, (0.5, 1.5), [0.9, 1.1]), IntervalRow("short", 0.2, indent=1)]
    picture = intervals("long", entries, "points", zero=True)
    assert f">{name[:14]}…{name[-27:]}<" in picture and ">short<" in picture
    dots = [float(x) for x in re.findall(r'<use [^>]*x="([\d.]+)"', picture)]
    assert dots and all(278 < x < 540 for x in dots)


def test_an_axis_of_equal_scores_shows_no_rounding_errors() -> None:
    x, flat = [0.0, 1.0], [0.0, 1e-17]
    picture = curves("flat", [Line("grpo", "#123456", [(x, flat)], (x, flat))], 0.0, "rollouts", 400, 200)
    assert "1e" not in picture.replace("1em", "") and "0.2" in picture


def test_labels_beside_a_panel_fit_it_however_many_and_long() -> None:
    x = [0.0, 1.0]
    lines = [
        Line(f"{i} with a long name that has no room", "#123456", [], (x, [0.0, 50.0 + 0.01 * i])) for i in range(30)
    ]
    root = ElementTree.fromstring(curves("many", lines, None, "rollouts", 440, 280))
    found = [e for e in root.iter() if e.tag.endswith("text") and "…" in (e.text or "")]
    heights = sorted(float(re.findall(r"[\d.]+", e.get("y") or e.get("transform") or "")[-1]) for e in found)
    assert len(found) == 30 and all(len(e.text or "") <= 18 for e in found)
    assert heights[0] > 0 and heights[-1] < 260 and min(b - a for a, b in pairwise(heights)) > 7
