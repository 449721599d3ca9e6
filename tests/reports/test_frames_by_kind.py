"""Every public method of what `rence.load` gives, of every kind of folder: an answer, or an error that says what is
missing."""

from __future__ import annotations

import json
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

import rence
from rence.cli import main
from tests.reports.conftest import Synthetic, write_evaluation

matplotlib.use("Agg")
FOLDER = {"evaluation": "model"}
KINDS = ("run", "import", "scores", "evaluation")
ARGUMENTS: dict[str, tuple[str, ...]] = {"flips": ("ours", "theirs"), "compare": ("ours", "theirs")}
ANSWERS = "holds scores without problems, and this needs answers"
REFUSED: dict[str, dict[str, str]] = {
    "run": {},
    "import": {"plot_cost": "No trial that has a score says what it has spent"},
    "scores": dict.fromkeys(
        (
            "analysis", "problems", "attempts", "flips", "pass_at_k", "pass_at_k_differences", "markers", "steps",
            "plot_pass_at_k", "plot_cost",
        ),
        ANSWERS,
    ),
    "evaluation": {
        "flips": "`ours` is no arm of model. Its arms: model.",
        "compare": "`ours` is no arm of model. Its arms: model.",
        "plot_differences": "no planned comparison",
        "plot_cost": "No trial that has a score says what it has spent",
    },
}  # fmt: skip
NAMES = sorted(name for name in dir(rence.Results) if not name.startswith("_"))


def command(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0, words


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, rence.Results]:
    place = tmp_path_factory.mktemp("kinds")
    Synthetic({"ours": 0.8, "theirs": 0.2}, points=2).write(place / "run")
    rows = [
        {"arm": arm, "seed": seed, "benchmark": "b", "problem_id": f"p{p}", "sample": s, "correct": int(p < solved)}
        for arm, solved in (("ours", 6), ("theirs", 4)) for seed in (0, 1) for p in range(10) for s in range(2)
    ]  # fmt: skip
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command("import", str(place / "rows.jsonl"), "--out", str(place / "import"))
    table = "arm,seed,step,b\n" + "".join(
        f"{arm},{seed},{step},{0.3 + 0.1 * seed + 0.01 * step + shift}\n"
        for arm, shift in (("ours", 0.05), ("theirs", 0)) for seed in (0, 1, 2) for step in (10, 20)
    )  # fmt: skip
    (place / "scores.csv").write_text(table, encoding="utf-8")
    command("import", "scores", str(place / "scores.csv"), "--step", "20", "--out", str(place / "scores"))
    write_evaluation(place / "model", sums=[4, 4, 2, 0, 1, 3])
    return {kind: rence.load(place / FOLDER.get(kind, kind)) for kind in KINDS}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_name_answers_or_says_what_is_missing(loaded: dict[str, rence.Results], kind: str, name: str) -> None:
    run, arguments = loaded[kind], ARGUMENTS.get(name, ())
    assert run.kind == kind

    def ask() -> Any:
        found = getattr(run, name)
        return found(*arguments) if callable(found) else found

    try:
        if name not in REFUSED[kind]:
            found = ask()
            assert found is not None or name == "accept"
            return
        with pytest.raises((rence.DataError, ValueError)) as error:
            ask()
        said = str(error.value)
        assert REFUSED[kind][name] in said and said.endswith(".") and "\n" not in said
    finally:
        pyplot.close("all")


def test_of_scores_nothing_is_said_of_problems(loaded: dict[str, rence.Results]) -> None:
    """Neither what prints itself nor what pictures are called claims to know a problem."""
    run = loaded["scores"]
    shown = f"{run!r} {run._repr_html_()} {run.compare('ours', 'theirs').text()}"
    left = shown.replace("and no interval covers new problems", "")
    assert "by problem" not in left and "new problems" not in left and "attempts" not in left
    words = [axes.get_title(loc="left") + axes.get_xlabel() + axes.get_ylabel() for axes in
             (run.plot_scores(), run.plot_curves(), run.plot_differences())]  # fmt: skip
    pyplot.close("all")
    assert words == ["bpercent", "bsteps" + "percent", "ourspoints"]
