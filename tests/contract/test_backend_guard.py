"""A backend of another package that fails outside training: named, in a line, with its package; nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import USAGE
from harness.base.plugins import PluginError
from harness.base.registry import BACKENDS

Call = Callable[..., tuple[int, str, str]]
SOURCE = """
import rence

class Odd(rence.LocalBackend):
    def {method}(self, *arguments):
        {body}
"""
CALLS = {
    "mistakes": ["plan", "run"],
    "costs": ["plan"],
    "slots": ["run"],
    "configs": ["dry run"],
    "check_machine": ["run"],
}


@pytest.fixture
def odd(rence: Call, package: Callable[..., Path], finished: Path) -> Callable[[str, str], str]:
    """Installs a backend `odd` with a method of that body; the path of an experiment on it, whose name is `new`."""

    def install(method: str, body: str) -> str:
        package("bp", SOURCE.format(method=method, body=body), backends={"odd": "bp:Odd"})
        text = finished.read_text(encoding="utf-8").replace("name: finished", "name: new")
        Path("new.yaml").write_text(f"{text}backend: odd\n", encoding="utf-8")
        return "new.yaml"

    return install


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("body", "reason"),
    [("raise ValueError('it\\nboom')", "ValueError: it boom"), ("raise NotImplementedError", "no message")],
)
def test_what_a_backend_raises_is_said_with_its_package(
    rence: Call, odd: Callable[[str, str], str], method: str, body: str, reason: str
) -> None:
    file = odd(method, body)
    for call in CALLS[method]:
        words = ["run", file, "--dry-run"] if call == "dry run" else [call, file]
        code, _, err = rence(*words)
        assert code == USAGE and "the backend `odd` of bp 1.0 (bp:Odd) cannot be used: " in err
        assert err.endswith(f"{reason}. Mend or uninstall that package.\n") and err.count("\n") == 1
    assert not Path("runs/new").exists()


def test_a_generator_that_fails_on_the_way(rence: Call, odd: Callable[[str, str], str]) -> None:
    file = odd("mistakes", "yield from (); raise KeyError('cores')")
    code, _, err = rence("plan", file)
    assert code == USAGE and err.startswith("rence: new.yaml:10: the backend `odd` of bp 1.0 (bp:Odd) cannot be used: ")
    assert "KeyError: 'cores'" in err


@pytest.mark.parametrize(
    ("method", "returned", "reason"),
    [
        ("costs", "None", "`costs` must return BackendCosts, but returned NoneType instead"),
        ("slots", "'all'", "`slots` must return a whole number, but returned str instead"),
        ("configs", "3", "`configs` must return a mapping from arm to text, but returned int instead"),
        (
            "start_engine",
            "None",
            "`start_engine` must return an Engine (name, version, positions, generate), but returned NoneType instead",
        ),
        (
            "start_engine",
            "object()",
            "`start_engine` must return an Engine (name, version, positions, generate), but returned object instead",
        ),
    ],
)
def test_what_a_backend_returns_is_checked(
    rence: Call, odd: Callable[[str, str], str], method: str, returned: str, reason: str
) -> None:
    experiment = config.load(Path(odd(method, f"return {returned}")))
    with pytest.raises(PluginError) as refused:
        getattr(BACKENDS.get("odd"), method)(experiment, Path())
    assert refused.value.reason == reason


@pytest.mark.parametrize("error", ["rence_errors.UserError('start the server first')", "OSError(28, 'full')"])
def test_words_to_the_user_and_of_the_system_pass(rence: Call, odd: Callable[[str, str], str], error: str) -> None:
    file = odd("costs", f"import harness.base.errors as rence_errors; raise {error}")
    code, _, err = rence("plan", file)
    assert code != 0 and ("start the server first" in err or "no space left" in err) and "cannot be used" not in err


def test_ours_are_not_wrapped() -> None:
    assert [type(BACKENDS.get(name)).__name__ for name in BACKENDS.ours] == ["LocalBackend", "VerlBackend"]
