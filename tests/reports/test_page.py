"""The page in a real browser: it sorts, filters, fits a phone, works without scripts, and runs no text of a model."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.data.excerpts import HEAD, TAIL, visible
from reports.document import Cell, Column, Document, Folded, Row, Section, Table
from reports.render import html
from tests.reports.conftest import Synthetic, relock

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install '.[dev]'")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="no Chromium here: apt-get install chromium chromium-driver"
)

HOSTILE = [
    "</script><script>alert(1)</script>",
    "</div></details></main><img src=x onerror=alert(2)><svg onload=alert(3)>",
    "<!-- <style>body{display:none}</style> <plaintext><textarea>",
    "a\x00b\x01c\x1b[31m\u202egnp.exe\u2066\ufeff",
    "W" * 5000,
    "so " * 33_333 + "\\boxed{7}",
    "{{ 7 * 7 }} &lt;b&gt; <a href='javascript:alert(4)'>x</a> \" ' `",
]
SPY = """
window.trouble = [];
addEventListener("securitypolicyviolation", (event) => trouble.push("blocked: " + event.violatedDirective));
addEventListener("error", (event) => trouble.push("error: " + event.message));
for (const name of ["alert", "confirm", "prompt", "fetch"]) window[name] = (what) => trouble.push(name + ": " + what);
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose attempts say something hostile, each ending in which one it is; one arm's name is long."""
    truth = Synthetic(
        gains={"rence": 1.5, "grpo": 0.2, "dapo": 0.8}, benchmarks={"easy": (120, 4), "hard": (100, 4)}, curve=()
    )
    run = truth.write(tmp_path_factory.mktemp("page") / "run")
    for path in run.rglob("attempts.parquet"):
        table = pq.read_table(path)
        names = [f"{p}/{s}" for p, s in zip(table["problem_id"].to_pylist(), table["sample"].to_pylist(), strict=True)]
        texts = [HOSTILE[i % len(HOSTILE)] for i in range(len(table))]
        columns = {name: table[name] for name in table.schema.names}
        columns["response"] = pa.array([f"{text} I am {name}" for text, name in zip(texts, names, strict=True)])
        columns["answer"] = pa.array([text[:300] for text in texts])
        columns["gold"] = pa.array([HOSTILE[0]] * len(table))
        pq.write_table(pa.table(columns), path)
    plan = run / "plan.json"
    text = plan.read_text(encoding="utf-8").replace('"DAPO"', json.dumps("DAPO\u202e" + "_long" * 60))
    plan.write_text(text, encoding="utf-8")
    relock(run)
    return reports.build(run, ["html"])[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two tables whose numbers sort otherwise as words."""
    numbers = [9.5, 100.0, None, 10.25, -3.0, 1e-7]
    short = [Row([Cell(f"arm {i}"), Cell("—" if x is None else f"{x:g} %", x)]) for i, x in enumerate(numbers)]
    long = [Row([Cell(f"arm-{i}"), Cell(f"{i}", i)]) for i in range(40)]
    columns = [Column("Arm", numeric=False), Column("Score")]
    blocks = [Table("short", columns, short), Folded("All", [Table("long", columns, long)])]
    path = tmp_path_factory.mktemp("small") / "index.html"
    path.write_text(html.document(Document("small", ["Found."], [Section("one", "One", blocks)])), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER))) as browser:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})
        yield browser


@pytest.fixture
def browser(chromium) -> Iterator:
    """With nothing left over from the test before."""
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    screen(chromium, 1280)
    for log in ("browser", "performance"):
        chromium.get_log(log)
    return chromium


def screen(browser, width: int, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def show(browser, page: Path) -> None:
    browser.get(page.as_uri())


def column(browser, table: str, place: int) -> list[str]:
    script = "return [...document.querySelectorAll(`#table-${arguments[0]} tbody tr`)].filter((r) => !r.hidden)"
    return browser.execute_script(f"{script}.map((r) => r.cells[arguments[1]].textContent.trim())", table, place)


def click(browser, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)


def write(browser, selector: str, words: str) -> None:
    script = (
        "const b = document.querySelector(arguments[0]); b.value = arguments[1]; b.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(script, selector, words)


def picture(browser) -> np.ndarray:
    """Grey values of the window, 0 to 1."""
    from matplotlib.image import imread

    data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    return imread(io.BytesIO(base64.b64decode(data)))[..., :3].mean(axis=2)


def test_a_table_sorts_by_number_and_keeps_gaps_last(browser, small: Path) -> None:
    show(browser, small)
    head = "#table-short thead th:nth-child(2)"
    click(browser, head)
    assert column(browser, "short", 1) == ["-3 %", "1e-07 %", "9.5 %", "10.25 %", "100 %", "—"]
    assert browser.execute_script(f"return document.querySelector('{head}').ariaSort") == "ascending"
    click(browser, head)
    assert column(browser, "short", 1) == ["100 %", "10.25 %", "9.5 %", "1e-07 %", "-3 %", "—"]
    assert browser.execute_script(f"return document.querySelector('{head}').ariaSort") == "descending"
    click(browser, "#table-short thead th:nth-child(1)")
    assert column(browser, "short", 0) == [f"arm {i}" for i in range(6)]


def test_a_table_sorts_by_keyboard(browser, small: Path) -> None:
    show(browser, small)
    browser.find_element("css selector", "#table-short thead th:nth-child(2)").send_keys(" ")
    assert column(browser, "short", 1)[0] == "-3 %"


def test_a_long_table_filters_and_a_short_one_has_no_box(browser, small: Path) -> None:
    show(browser, small)
    assert browser.execute_script("return document.querySelectorAll('input').length") == 1
    write(browser, "input", " ARM-3")
    assert column(browser, "long", 1) == ["3", *(str(i) for i in range(30, 40))]
    assert browser.execute_script("return document.querySelector('output').textContent") == "11 of 40 rows"
    write(browser, "input", "")
    assert len(column(browser, "long", 1)) == 40


def cases(browser) -> list[list[str]]:
    """Tags of the cases that are shown, of the first pair."""
    script = "return [...document.querySelectorAll('#cases-grpo .case')].filter((c) => !c.hidden)"
    return [tags.split("|") for tags in browser.execute_script(f"{script}.map((c) => c.dataset.tags)")]


def test_cases_filter_by_category_kind_and_words(browser, report: Path) -> None:
    show(browser, report)
    everything = cases(browser)
    assert {tags[0] for tags in everything} == {"gained", "lost", "both solve", "neither solves"}
    for tag, place in (("gained", 0), ("lost", 0), ("maths", 1)):
        button = f"#cases-grpo button[data-tag='{tag}']"
        click(browser, button)
        wanted = [tags for tags in everything if tags[place : place + 1] == [tag]]
        assert cases(browser) == wanted and 0 < len(wanted) < len(everything)
        assert browser.execute_script(f'return document.querySelector("{button}").ariaPressed') == "true"
        click(browser, button)
        assert cases(browser) == everything
    click(browser, "#cases-grpo button[data-tag='gained']")
    click(browser, "#cases-grpo button[data-tag='format']")
    assert cases(browser) == [tags for tags in everything if tags == ["gained", "format"]]
    for tag in ("gained", "format"):
        click(browser, f"#cases-grpo button[data-tag='{tag}']")
    title = browser.execute_script("return document.querySelectorAll('#cases-grpo .case .name')[3].textContent")
    write(browser, "#cases-grpo input", title.upper())
    assert cases(browser) == [everything[3]]
    write(browser, "#cases-grpo input", "no such words anywhere")
    assert cases(browser) == []
    assert browser.execute_script("return document.querySelector('#cases-grpo output').textContent").startswith("0 of")


def test_nothing_is_asked_of_the_network_blocked_or_reported(browser, report: Path) -> None:
    show(browser, report)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    for selector in ("#table-scores thead th:nth-child(2)", "#cases-grpo button", "nav a:last-child"):
        click(browser, selector)
    assert browser.execute_script("return trouble") == []
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {address.split("#")[0] for address in asked} == {report.as_uri()}


def test_hostile_texts_are_shown_and_do_not_act(browser, report: Path) -> None:
    show(browser, report)
    said = browser.execute_script("return [...document.querySelectorAll('.said')].map((s) => s.textContent)")
    for text in HOSTILE:
        kept = visible(text[:HEAD])
        found = [one for one in said if one.startswith(kept)]
        assert found, f"{text[:30]!r} is not shown"
        left_out = f"… {len(text) + len(' I am easy-0000/0') - HEAD - TAIL:,} characters left out …"
        assert all((left_out in one) == (len(text) > HEAD + TAIL) for one in found)
    assert all("\x00" not in one and "\u202e" not in one for one in said)
    assert any("a␀b␁c␛[31m�gnp.exe��" in one for one in said)
    counts = "return ['script', 'style', 'img', 'plaintext', 'textarea', '.said *:not(.left-out)']"
    found = browser.execute_script(f"{counts}.map((s) => document.querySelectorAll(s).length)")
    assert found == [1, 1, 0, 0, 0, 0]
    assert report.stat().st_size < 5e6


def test_every_shown_attempt_is_of_its_problem_and_mark(browser, report: Path) -> None:
    """What is beside the text is of the attempt in the file: its problem, sample and mark."""
    show(browser, report)
    script = """return [...document.querySelectorAll('#cases-grpo .case')].map((c) => [
      c.querySelector('.name').textContent,
      ...[...c.querySelectorAll('.side')].map((s) => [...s.querySelectorAll('p, .said')].map((e) => e.textContent))])"""
    tables = {}
    for name, *sides in browser.execute_script(script):
        benchmark, problem = name.split()
        for arm, (_, tally, attempt, said) in zip(("rence", "grpo"), sides, strict=True):
            place, _, rest = attempt.partition(": ")
            seed, sample = (int(word.split()[1]) for word in place.split(", "))
            assert said.endswith(f"I am {problem}/{sample}")
            path = report.parent.parent / arm / f"seed{seed}/evals/step_20" / benchmark / "attempts.parquet"
            rows = tables.setdefault(path, pq.read_table(path, columns=["problem_id", "sample", "mark"]).to_pandas())
            mine = rows[(rows["problem_id"] == problem) & (rows["sample"] == sample)]
            mark = {"marker failed": "grader_failed"}.get(rest.split(",")[0], rest.split(",")[0].replace(" ", "_"))
            assert mine["mark"].tolist() == [mark]
            assert " of 12 correct" in tally


@pytest.mark.parametrize("width", [390, 768, 1280, 1600])
def test_the_page_does_not_scroll_sideways(browser, report: Path, width: int) -> None:
    screen(browser, width)
    show(browser, report)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    browser.execute_script("scrollTo(1000, 0)")
    root = "document.documentElement"
    assert browser.execute_script(f"return [{root}.scrollWidth - {root}.clientWidth, scrollX]") == [0, 0]


def test_what_is_pressed_on_a_phone_is_large_enough(browser, report: Path) -> None:
    screen(browser, 390)
    show(browser, report)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    script = (
        "return [...document.querySelectorAll('nav a, button, input, summary')].map((e) => e.getBoundingClientRect())"
    )
    low = [box["height"] for box in browser.execute_script(f"{script}.map((b) => b.toJSON())") if box["height"] < 36]
    assert low == []


def test_light_and_dark_are_two_pictures(browser, report: Path) -> None:
    pictures = {}
    for scheme in ("light", "dark"):
        screen(browser, 1280, scheme)
        show(browser, report)
        pictures[scheme] = picture(browser)
    light, dark = pictures["light"], pictures["dark"]
    assert light.shape == dark.shape == (800, 1280)
    assert np.median(light) > 0.9 and np.median(dark) < 0.2
    # not blank: words and rules on the ground
    assert (light < 0.5).mean() > 0.005 and (dark > 0.5).mean() > 0.005


def test_without_scripts_everything_is_there(browser, report: Path) -> None:
    show(browser, report)
    count = "[document.querySelectorAll('tbody tr').length, document.querySelectorAll('.case').length]"
    with_scripts = browser.execute_script(f"return {count}")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    show(browser, report)
    nodes = browser.execute_cdp_cmd("DOM.getDocument", {"depth": -1})["root"]
    names = [node["nodeName"].lower() for node in walk(nodes)]
    assert "input" not in names and "button" not in names
    classes = [attributes(node).get("class") for node in walk(nodes)]
    assert names.count("tr") - names.count("thead") == with_scripts[0] and classes.count("case") == with_scripts[1]
    assert not [node for node in walk(nodes) if "hidden" in attributes(node)]
    figures = [node for node in walk(nodes) if node["nodeName"].lower() in ("svg", "table")]
    sizes = [browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": node["nodeId"]}) for node in figures[:2]]
    assert all(size["model"]["width"] > 200 and size["model"]["height"] > 50 for size in sizes)
    assert (picture(browser) < 0.5).mean() > 0.005


def walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("children", []):
        yield from walk(child)


def attributes(node: dict) -> dict[str, str]:
    pairs = node.get("attributes", [])
    return dict(zip(pairs[::2], pairs[1::2], strict=True))
