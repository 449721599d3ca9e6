"""What other packages add, and those of it that are engines. Algorithms and problems: test_base_registry.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import UserError
from harness.base.plugins import PluginError, Plugins, Unfit
from harness.engines.registry import ENGINES, open_engine
from harness.models.resolving import SHIPPED

Package = Callable[..., Path]


def accept(name: str, offered: object) -> int:
    if not isinstance(offered, int):
        raise Unfit(f"`{name}` must be a number, but is {type(offered).__name__} instead")
    return offered


NUMBERS = Plugins("rence.numbers", "number", lambda: ("zero",), accept)


def test_names_are_in_order_and_import_nothing(package: Package) -> None:
    package("bbb", "two, one = 2, 1", numbers={"two": "bbb:two", "one": "bbb:one"})
    package("aaa", "three = 3", numbers={"three": "aaa:three", "zero": "aaa:three"})
    assert NUMBERS.names() == ["one", "three", "two"]
    assert NUMBERS.versions("two") == {"bbb": "1.0"} and NUMBERS.versions("nine") == {}
    assert not {"aaa", "bbb"} & sys.modules.keys()
    assert NUMBERS.get("three") == 3
    assert "bbb" not in sys.modules
    assert NUMBERS.usable() == {"one": 1, "three": 3, "two": 2}
    assert list(NUMBERS.broken()) == ["zero"]
    with pytest.raises(KeyError):
        NUMBERS.get("nine")


def test_nothing_of_ours_is_looked_up_where_nothing_is_offered() -> None:
    def ours() -> list[str]:
        raise AssertionError("reports would import numpy here")

    nothing = Plugins("rence.nothing", "thing", ours, accept)
    assert nothing.names() == [] and nothing.usable() == nothing.broken() == {}


def test_a_name_that_two_packages_offer_is_neithers(package: Package) -> None:
    package("bbb", "two = 2", "2.0", numbers={"two": "bbb:two"})
    package("aaa", "two = 22", numbers={"two": "aaa:two", "three": "aaa:two"})
    with pytest.raises(PluginError) as raised:
        NUMBERS.get("two")
    assert str(raised.value) == (
        "the number `two` of aaa 1.0 (aaa:two) and bbb 2.0 (bbb:two) cannot be used: "
        "more than one package offers it. Mend or uninstall that package."
    )
    assert NUMBERS.usable() == {"three": 22}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("thing = 'x'", "`thing` must be a number, but is str instead"),
        ("import sys; sys.exit('not here')", "SystemExit: not here"),
        ("raise ValueError", "ValueError: no message"),
        ("raise ValueError('two\\n  lines.')", "ValueError: two lines"),
        ("1 +", "SyntaxError: invalid syntax (broken.py, line 1)"),
    ],
)
def test_whatever_goes_wrong_is_the_reason(package: Package, source: str, reason: str) -> None:
    package("broken", source, numbers={"thing": "broken:thing"})
    with pytest.raises(PluginError) as raised:
        NUMBERS.get("thing")
    assert raised.value.reason == reason
    assert str(raised.value).startswith(f"the number `thing` of broken 1.0 (broken:thing) cannot be used: {reason}. ")


ENGINE = """
from harness.base.errors import UserError

class Engine:
    '''Answers nothing.

    At all.'''
    name, version, positions = "e", "1", None
    @classmethod
    def open(cls, folder, **options):
        {body}
    def generate(self, requests, sampling): return []
"""


def test_an_engine_of_another_package_is_opened(package: Package, tmp_path: Path) -> None:
    package("other", ENGINE.format(body="made = cls(); made.given = folder, options; return made"),
            engines={"mine": "other:Engine", "local": "other:Engine"})  # fmt: skip
    assert ENGINES.names() == ["local", "hf", "vllm", "mine"]
    assert ENGINES.descriptions()["mine"] == "Answers nothing."
    assert ENGINES.descriptions()["local"] == ENGINES.ours["local"].description
    engine = open_engine("mine", SHIPPED["quickstart-base"], precise=True)
    assert engine.name == "e" and engine.given == (SHIPPED["quickstart-base"], {"precise": True})  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"engine `min` is unknown\. Did you mean `mine`\?"):
        open_engine("min", SHIPPED["quickstart-base"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise KeyError('weights')", "KeyError: 'weights'"),
        ("return object()", "what its `open` returns has no `name`"),
    ],
)
def test_an_engine_that_cannot_be_opened_is_named(package: Package, body: str, reason: str) -> None:
    package("other", ENGINE.format(body=body), engines={"mine": "other:Engine"})
    with pytest.raises(PluginError) as raised:
        open_engine("mine", SHIPPED["quickstart-base"])
    assert raised.value.reason == reason


def test_an_engines_own_words_to_the_user_are_left_alone(package: Package) -> None:
    package("other", ENGINE.format(body="raise UserError('start the server first')"), engines={"mine": "other:Engine"})
    with pytest.raises(UserError, match="start the server first"):
        open_engine("mine", SHIPPED["quickstart-base"])


def test_an_engine_must_be_a_class_that_opens(package: Package) -> None:
    package("other", "def engine(): pass", engines={"mine": "other:engine"})
    with pytest.raises(PluginError, match="it must be a class with `open` and `generate`, but is function instead"):
        open_engine("mine", SHIPPED["quickstart-base"])
