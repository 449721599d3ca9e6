"""`rence open RUN`: the page in a browser, or its path where there is none."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import INCOMPLETE, OK

Call = Callable[..., tuple[int, str, str]]
PAGE = "runs/finished/report/index.html"


@pytest.mark.parametrize("browser", [True, False])
def test_the_page_is_opened_and_named(
    rence: Call, finished: Path, monkeypatch: pytest.MonkeyPatch, browser: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or browser)
    assert rence("report", "runs/finished")[0] == OK
    code, said, warned = rence("open", "runs/finished")
    assert (code, said.strip()) == (OK, PAGE)
    assert asked == [(finished.parent / PAGE).as_uri()]
    assert ("No browser" in warned) is not browser


def test_what_has_no_page_says_the_next_command(rence: Call, finished: Path, tmp_path: Path) -> None:
    code, said, warned = rence("open", "runs/finished")
    assert (code, said) == (INCOMPLETE, "") and "Next: rence report runs/finished" in warned
    (tmp_path / "other").mkdir()
    for none in ("other", "nowhere"):
        code, said, warned = rence("open", none)
        assert (code, said) == (INCOMPLETE, "") and "is no run folder" in warned
