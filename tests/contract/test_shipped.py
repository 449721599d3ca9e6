"""What ships beside the code: experiments by name, from a checkout and from an installed wheel; lm-eval's tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.base.errors import OK, USAGE
from rence.cli import completion
from rence.cli.shipped import config_file, configs, first_sentence

Call = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
ALL = sorted(path for path in (ROOT / "configs").rglob("*.yaml") if "expected" not in path.parts)
OWN = "name: own\nmodel: quickstart-base\ntrain: mini_rl\n"


def test_every_experiment_that_ships_has_a_name_and_says_what_it_is(rence: Call) -> None:
    assert [ROOT / "configs" / f"{name}.yaml" for name in configs()] == ALL and len(ALL) >= 17
    rows = {row["name"]: row["description"] for row in json.loads(rence("list", "configs", "--json")[1])}
    assert rows.keys() == configs().keys()
    assert rows["smoke"] == "The demo's whole path from plan to report in under a minute."
    assert all(rows.values()), "its first lines, as a comment"
    assert "ablations/dapo " in rence("list", "configs")[1]


@pytest.mark.parametrize("given", ["quickstart", "quickstart.yaml", "ablations/dapo", "paper/smoke_qwen3_0.6b"])
def test_a_name_is_the_file_that_ships(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_file(given) == ROOT / "configs" / f"{given.removesuffix('.yaml')}.yaml"


@pytest.mark.parametrize("given", ["quickstart", "quickstart.yaml", "ablations/dapo"])
def test_a_file_that_exists_wins_over_a_name(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(given).parent.mkdir(exist_ok=True)
    Path(given).write_text(OWN)
    assert config_file(given) == Path(given)


def test_a_folder_is_no_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quickstart").mkdir()
    assert config_file("quickstart") == ROOT / "configs" / "quickstart.yaml"


@pytest.mark.parametrize("command", [["plan"], ["run"], ["run", "--dry-run"]], ids=" ".join)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("./quickstart", "quickstart does not exist. `rence config new` prints an experiment to start from, `rence"),
        ("../smoke.yaml", "../smoke.yaml does not exist. `rence config new`"),
        ("quikstart", "quikstart does not exist. Did you mean `quickstart`? `rence list configs` shows what ships."),
        ("dapoo", "dapoo does not exist. Did you mean `ablations/dapo`?"),
        ("configs/quickstart.yaml", "configs/quickstart.yaml does not exist. Did you mean `quickstart`?"),
        ("paper/rence_qwen3_4", "Did you mean `paper/rence_qwen3_4b`?"),
        ("paper/expected/rence", "paper/expected/rence does not exist."),
    ],
)
def test_what_is_neither_is_an_error_with_the_nearest_name(
    rence: Call, command: list[str], given: str, words: str
) -> None:
    code, out, err = rence(*command, given)
    assert (code, out) == (USAGE, "") and words in err and err.count("\n") == 1


def test_a_name_is_planned_and_run(rence: Call, finished: Path) -> None:
    by_name = json.loads(rence("plan", "smoke", "--json")[1])
    assert by_name == json.loads(rence("plan", str(ROOT / "configs" / "smoke.yaml"), "--json")[1])
    assert json.loads(rence("run", "smoke", "--dry-run", "--json", "seeds=[7]")[1])["plan"]["seeds"] == [7]
    finished.rename("quickstart")  # a complete run's file under a name that ships
    code, out, _ = rence("run", "quickstart")
    assert code == OK and "Report: runs/finished" in out


def test_the_first_sentence_ends_with_its_comment(tmp_path: Path) -> None:
    for text, sentence in {
        "# One thing. Two things.\n": "One thing.",
        "# One\n# thing\n#\n# Two.\nname: x\n": "One thing",
        "name: x\n# One.\n": "",
        "": "",
    }.items():
        (tmp_path / "x.yaml").write_text(text)
        assert first_sentence(tmp_path / "x.yaml") == sentence


def test_the_folder_of_tasks_is_printed(rence: Call) -> None:
    code, out, _ = rence("tasks")
    assert code == OK and Path(out.strip()).samefile(ROOT / "benchmarks" / "tasks")


def test_the_shell_completes_names_and_files(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.parent)
    Path("smaller.yaml").write_text(OWN)
    assert completion.configs("sm") == ["smoke", "smollm", "smaller.yaml"]
    assert completion.configs("ablations/d") == ["ablations/dapo", "ablations/dpo_sync"]
    assert completion.algorithms("rence") == ["rence", "rence_plain", "rence_mean"]
    assert completion.benchmarks("mini_sums:4,mini_u") == ["mini_sums:4,mini_unseen"]
    assert completion.runs("") == ["runs/finished"]
    assert completion.runs("runs/finished/") == ["runs/finished/grpo", "runs/finished/rence"]


def test_the_shell_asks_the_program() -> None:
    words = {"_RENCE_COMPLETE": "complete_bash", "COMP_WORDS": "rence plan quick", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "rence"], cwd=ROOT, env={**os.environ, **words}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["quickstart", "quickstart10"], done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("hatchling") is None:
        pytest.skip("building a wheel needs hatchling: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT], check=True, timeout=120)
    return next(folder.glob("*.whl"))


def test_a_wheel_holds_experiments_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"rence/configs/{path.relative_to(ROOT / 'configs')}" for path in ALL} <= names
    assert {f"{room}/py.typed" for room in ("algorithms", "benchmarks", "harness", "reports", "rence")} <= names
    assert "benchmarks/tasks/rence_aime24_k32.yaml" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "algorithms", "benchmarks", "harness", "reports", "rence",
    }  # fmt: skip


def test_an_installed_wheel_runs_experiments_by_name_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True, timeout=120)

    def rence(*arguments: str) -> str:
        done = subprocess.run(
            [site / "bin" / "rence", *arguments], cwd=here, env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == OK, done.stderr
        return done.stdout

    assert rence("tasks") == f"{site}/benchmarks/tasks\n"
    plan = json.loads(rence("plan", "quickstart", "--json"))
    assert plan["plan"]["experiment"] == "quickstart" and plan["costs"]["trials"] == 12
    assert [row["name"] for row in json.loads(rence("list", "configs", "--json"))] == list(configs())
    assert list(here.iterdir()) == []
