"""Plug-ins of all five kinds: what docs/how-to/plugins.md shows, and packages that are broken."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import OK, USAGE
from harness.records import RunFolder
from harness.run import jobs, matching

Call = Callable[..., tuple[int, str, str]]
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "plugins.md"
KINDS = ("algorithms", "benchmarks", "backends", "engines", "sections")
BROKEN = """
raise RuntimeError("this package\\nneeds [more] {care}")
"""
POINTS = {kind: {f"bad_{kind}": "broken:thing"} for kind in KINDS}
REASON = "RuntimeError: this package needs [more] {care}"


@pytest.fixture
def mine(package: Callable[..., Path]) -> Path:
    """The package that the page describes."""
    blocks: dict[str, str] = {"toml": "", "python": ""}
    for language, code in re.findall(
        r"^```(\w+) (?:run|parse)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S
    ):
        blocks[language] += code
    groups = tomllib.loads(blocks["toml"])["project"]["entry-points"]
    return package("mine", blocks["python"], "2.5", **{group.removeprefix("rence."): p for group, p in groups.items()})


def test_what_the_page_shows_works(rence: Call, mine: Path, finished: Path) -> None:
    names = dict(zip(KINDS, ("grpo_strict", "doubles", "careful", "constant", "finished"), strict=True))
    for kind, name in names.items():
        rows = json.loads(rence("list", kind, "--json")[1])
        assert rows[-1]["name"] == name or kind == "benchmarks"
        assert [row["name"] for row in rows].count(name) == 1
        assert "cannot be used" not in str(rows)
    assert json.loads(rence("show", "grpo_strict", "--json")[1])["spec"]["trust region"] == "token ratio in [0.9, 1.1]"
    assert " hold\n" in rence("check", "grpo_strict")[1]

    asked = ["--benchmarks", "doubles", "--engine", "constant", "--template", "bare", "--out", "floor"]
    code, out, _ = rence("eval", "--model", "quickstart-base", *asked, "--json")
    assert code == OK and json.loads(out)["per_benchmark"]["doubles"]["mean"] == 1 / 30
    header = json.loads(Path("floor/evals/doubles/eval.json").read_text())
    assert (header["engine"], header["engine_version"]) == ("constant", "1")
    assert (header["title"], header["rule"]) == ("Doubles", "mathematical expressions")
    assert "\nDoubles  " in rence("eval", "--model", "quickstart-base", *asked)[1]
    assert "all 7 hold" in rence("check", "doubles")[1]

    assert rence("report", "runs/finished")[0] == OK
    page = Path("runs/finished/report/report.md").read_text(encoding="utf-8")
    assert "## Finished trials\n\n4 of 4 trials are finished.\n" in page
    titles = re.findall(r"^## (.*)$", page, re.M)
    assert titles[titles.index("Finished trials") - 1] == "Provenance" and titles[-1] == "Time"
    assert "Finished trials" in Path("runs/finished/report/index.html").read_text(encoding="utf-8")


def test_a_trial_records_the_packages_that_it_used(mine: Path, tmp_path: Path, finished: Path) -> None:
    text = finished.read_text().replace("grpo: {}", "grpo: {algorithm: grpo_strict}")
    (tmp_path / "other.yaml").write_text(text)
    experiment, run = config.load(tmp_path / "other.yaml"), RunFolder(tmp_path / "runs/finished")
    assert matching.header(experiment, run, "grpo", 0).environment["mine"] == "2.5"
    assert "mine" not in matching.header(experiment, run, "rence", 0).environment
    experiment = config.load(finished, ["backend=careful", "careful.trials=3"])
    assert matching.header(experiment, run, "rence", 0).environment["mine"] == "2.5"
    assert jobs.side_by_side(experiment, room=8) == 3
    (tmp_path / "third.yaml").write_text(finished.read_text().replace("mini_sums: 1", "doubles: 1"))
    experiment = config.load(tmp_path / "third.yaml")
    assert matching.header(experiment, run, "rence", 0).environment["mine"] == "2.5"


def test_an_algorithm_of_a_plugin_may_set_the_recipe(rence: Call, mine: Path, finished: Path) -> None:
    """What the page shows: listed, shown, explained, checked, and in the plan; not against the shared recipe."""
    row = next(row for row in json.loads(rence("list", "algorithms", "--json")[1]) if row["name"] == "grpo_pairs")
    assert (row["preset_of"], row["setting"]) == (None, "recipe.group_size 2, recipe.prompts_per_step 128")
    sheet = json.loads(rence("show", "grpo_pairs", "--json")[1])
    assert sheet["recipe_settings"] == {"group_size": 2, "prompts_per_step": 128}
    said = "grpo_pairs sets group_size 2, prompts_per_step 128, unless the arm says otherwise"
    assert said in " ".join(rence("show", "grpo_pairs")[1].split())
    assert "default 2\n" in rence("config", "explain", "arms.grpo_pairs.recipe.group_size")[1]
    assert "default 8\n" in rence("config", "explain", "arms.grpo.recipe.group_size")[1]
    checks = json.loads(rence("check", "grpo_pairs", "--json")[1])["checks"]
    assert {"kind": "algorithm", "name": "settings of the recipe are real", "passed": True, "detail": ""} in checks
    assert all(check["passed"] for check in checks)

    Path("own.yaml").write_text(finished.read_text().replace("grpo: {}", "grpo: {algorithm: grpo_pairs}"))
    arms = json.loads(rence("plan", "own.yaml", "--json")[1])["plan"]["arms"]
    assert [arm["recipe_differences"] for arm in arms] == [{}, {"group_size": 2, "prompts_per_step": 128}]
    code, _, err = rence("plan", "own.yaml", "recipe.group_size=8")
    assert code == USAGE and "`grpo_pairs`, the algorithm of the arm `grpo`, sets 2." in err
    assert rence("plan", "own.yaml", "recipe.group_size=8", "arms.grpo.recipe.group_size=8")[0] == OK


WRONG = {  # what an algorithm's `recipe` holds -> what `rence plan` says after the arm's line, what `rence check` finds
    "{'epochss': 1}": "`recipe.epochss` is not a key. Did you mean `epochs`?",
    "{'epochs': 0}": "`recipe.epochs` must be at least 1, but is 0 instead.",
    "{'checkpoint_steps': 3}": "its `recipe` may not hold `checkpoint_steps`, which says how a trial is computed",
}


@pytest.mark.parametrize("recipe", WRONG)
def test_what_is_no_setting_of_the_recipe_is_named(
    rence: Call, package: Callable[..., Path], finished: Path, recipe: str
) -> None:
    code = f"from rence.objectives import GRPO\nclass Mine(GRPO):\n    recipe = {recipe}\n"
    package("mine", code, algorithms={"odd": "mine:Mine"})
    Path("own.yaml").write_text(finished.read_text().replace("grpo: {}", "odd: {}").replace("[grpo]", "[odd]"))
    code, _, err = rence("plan", "own.yaml")
    assert code == USAGE and f"own.yaml:8: algorithm `odd`: {WRONG[recipe]}" in err and err.count("\n") <= 2
    checks = json.loads(rence("check", "odd", "--json")[1])["checks"]
    (failed,) = [row for row in checks if row["passed"] is False]
    assert failed["name"] == "settings of the recipe are real" and WRONG[recipe] in failed["detail"]
    for other in (["list", "algorithms"], ["config", "schema"], ["plan", str(finished)]):
        assert rence(*other)[0] == OK


def test_a_setting_without_effect_fails_the_check(rence: Call, package: Callable[..., Path]) -> None:
    code = (
        "from rence.objectives import GRPO\nclass Mine(GRPO):\n    recipe = {'reference_sync_steps': 3, 'epochs': 1}\n"
    )
    package("mine", code, algorithms={"odd": "mine:Mine"})
    checks = json.loads(rence("check", "odd", "--json")[1])["checks"]
    found = [row["detail"] for row in checks if row["passed"] is False]
    assert found == ["`recipe` sets reference_sync_steps, which has no effect with this algorithm"]


@pytest.mark.parametrize("recipe", ["3", "['epochs']", "{'epochs': object()}", "{1.5: None}", "None"])
def test_a_recipe_of_something_else_cannot_be_used(rence: Call, package: Callable[..., Path], recipe: str) -> None:
    code = f"from rence.objectives import GRPO\nclass Mine(GRPO):\n    recipe = {recipe}\n"
    package("mine", code, algorithms={"odd": "mine:Mine"})
    code, out, _ = rence("list", "algorithms", "--json")
    reason = "`recipe` of Mine must map settings of the recipe to words or numbers"
    assert code == OK and reason in json.loads(out)[-1]["source"]
    assert rence("show", "odd")[0] == USAGE and rence("config", "schema")[0] == OK


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_plugin_is_listed_with_its_error_among_what_works(
    rence: Call, package: Callable[..., Path], kind: str
) -> None:
    whole = json.loads(rence("list", kind, "--json")[1])
    package("broken", BROKEN, "3.1", **POINTS)
    code, out, _ = rence("list", kind, "--json")
    *rows, last = json.loads(out)
    assert code == OK and rows == whole and last.keys() == whole[0].keys()
    assert last["name"] == f"bad_{kind}" and "cannot be used" in str(last)
    assert f"of broken 3.1 (broken:thing) cannot be used: {REASON}. Mend or uninstall that package." in str(last)
    code, out, _ = rence("list", kind)
    assert code == OK and f"bad_{kind}" in out and "[more]" in out


def test_the_doctor_names_plugins_and_what_is_wrong_with_them(
    rence: Call, package: Callable[..., Path], mine: Path
) -> None:
    before = rence("doctor", "--json")
    package("broken", BROKEN, "3.1", **POINTS)
    code, out, _ = rence("doctor", "--json")
    rows = [row for row in json.loads(out)["findings"] if row["part"] == "plug-in"]
    assert code == before[0]
    assert [row["found"] for row in rows if row["state"] == "ok"] == [
        "algorithm `grpo_pairs` of mine 2.5 (mine:Pairs)",
        "algorithm `grpo_strict` of mine 2.5 (mine:STRICT)",
        "benchmark `doubles` of mine 2.5 (mine:doubles)",
        "backend `careful` of mine 2.5 (mine:Careful)",
        "engine `constant` of mine 2.5 (mine:Constant)",
        "section `finished` of mine 2.5 (mine:finished)",
    ]
    assert [row["found"] for row in rows if row["state"] == "lacks"] == [
        f"{kind[:-1]} `bad_{kind}` of broken 3.1 (broken:thing): {REASON}" for kind in KINDS
    ]
    assert all(row["mend"].endswith(" uninstall broken") for row in rows if row["state"] == "lacks")
    assert "[more]" in rence("doctor")[1]


def test_only_what_needs_a_broken_plugin_fails_and_says_why(
    rence: Call, package: Callable[..., Path], finished: Path
) -> None:
    package("broken", BROKEN, **POINTS)
    sums = ["eval", "--model", "quickstart-base", "--benchmarks", "mini_sums", "--out", "e", "--engine", "bad_engines"]
    Path("a.yaml").write_text(finished.read_text().replace("grpo: {}", "grpo: {algorithm: bad_algorithms}"))
    Path("b.yaml").write_text(finished.read_text().replace("mini_sums: 1", "bad_benchmarks: 1"))
    Path("c.yaml").write_text(finished.read_text().replace("train: mini_rl", "train: bad_benchmarks"))
    tuning = "tuning: {grid: {recipe.learning_rate: [1e-4, 1e-3]}, seeds: [9], benchmarks: {bad_benchmarks: 1}}\n"
    Path("d.yaml").write_text(finished.read_text() + tuning)
    for arguments, place in {
        ("show", "bad_algorithms"): "",
        ("diff", "all"): "",
        ("check", "bad_algorithms"): "",
        ("plan", "a.yaml"): "a.yaml:8: ",
        ("plan", "b.yaml"): "b.yaml:7: ",
        ("run", "c.yaml"): "c.yaml:4: ",
        ("plan", "d.yaml"): "d.yaml:10: ",
        ("plan", str(finished), "backend=bad_backends"): "`backend=bad_backends`: ",
        tuple(sums): "",
    }.items():
        code, out, err = rence(*arguments)
        assert code != OK and out == "" and f"rence: {place}the " in err, arguments
        assert f"cannot be used: {REASON}." in err and err.count("\n") <= 2 and "bug" not in err
    assert not Path("e/evals").exists()
    for arguments in (["plan", str(finished)], ["show", "grpo"], ["config", "schema"], ["report", "runs/finished"]):
        assert rence(*arguments)[0] == OK
    notes = Path("runs/finished/report/report.md").read_text(encoding="utf-8").partition("## Notes")[2]
    assert "A section is missing: the section" in notes and "RuntimeError: this package needs" in notes
    code, _, err = rence("show", "bad_algorithm")
    assert code == USAGE and "Did you mean `bad_algorithms`?" in err


def test_nothing_is_imported_before_it_is_asked_for(rence: Call, package: Callable[..., Path], finished: Path) -> None:
    package("broken", "open('imported', 'w')", **POINTS)
    compare = ["compare", "runs/finished/rence", "runs/finished/grpo"]
    for arguments in (["plan", str(finished)], ["show", "grpo"], ["list", "runs"], compare):
        assert rence(*arguments)[0] == OK
    assert not Path("imported").exists()
    rence("list", "algorithms")
    assert Path("imported").exists()
