"""Every block of code in the documents says whether it is run, parsed or needs a GPU, and holds what it says."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parent.parent
HISTORY = ("LOG.md", "CHANGELOG.md")
BLOCK = re.compile(r"^ *```(\w*)(?: ([^\n]*))?\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
OUTPUT = "text"
"""the language of what is no code: what a command prints, trees, equations"""
KINDS = ("run", "parse", "gpu", "file", "by")
"""`file=NAME`: written for a block that is run; `by hand`: what a test cannot do, such as making an environment"""
RUN_BY: Mapping[str, str] = {
    "docs/tutorial.md": "tests/contract/test_tutorial.py",
    "docs/how-to/python.md": "tests/reports/test_frames.py",
    "docs/how-to/import.md": "tests/importing/test_how_to.py",
    "docs/how-to/own-data.md": "tests/contract/test_own_training.py",
    "docs/how-to/plugins.md": "tests/contract/test_plugins.py",
    "docs/how-to/cluster.md": "tests/verl/test_how_to.py",
    "docs/how-to/verl.md": "tests/verl/test_how_to.py",
}
"""page -> the test that runs its blocks"""


class Block(NamedTuple):
    page: str
    language: str
    words: str
    text: str

    @property
    def kind(self) -> str:
        return re.split(r"[ =]", self.words)[0]


def blocks() -> Iterator[Block]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for path in sorted(pages):
        if path.name not in HISTORY:
            for language, words, text in BLOCK.findall(path.read_text(encoding="utf-8")):
                yield Block(path.relative_to(ROOT).as_posix(), language, words, text)


CODE = [block for block in blocks() if block.language != OUTPUT]


def test_every_block_has_a_language_and_says_what_it_is() -> None:
    bare = [(block.page, block.text[:60]) for block in CODE if not block.language or block.kind not in KINDS]
    assert bare == []
    print(Counter(block.kind for block in CODE))


def test_what_is_run_is_run_by_a_test_that_names_the_page() -> None:
    assert {block.page for block in CODE if block.kind == "run"} == RUN_BY.keys()
    silent = [page for page, test in RUN_BY.items() if Path(page).name not in (ROOT / test).read_text(encoding="utf-8")]
    assert silent == []


@pytest.mark.parametrize("language", sorted({block.language for block in CODE}))
def test_every_block_is_of_its_language(language: str) -> None:
    for page, _, _, text in (block for block in CODE if block.language == language):
        if language == "python":
            ast.parse(text)
        elif language == "yaml":
            assert yaml.safe_load(text), page
        elif language == "toml":
            assert tomllib.loads(text), page
        else:
            assert language == "sh", page
            done = subprocess.run(["bash", "-n"], input=without_placeholders(text), capture_output=True, text=True)
            assert done.returncode == 0, f"{page}\n{text}\n{done.stderr}"


def test_commands_and_options_of_shell_blocks_exist() -> None:
    known = dict(options())
    wrong = []
    for block in (block for block in CODE if block.language == "sh"):
        for words in commands(block.text):
            tried = (" ".join(words[:2]), *(["import any"] if words[0] == "import" else []), words[0])
            name = next((one for one in tried if one in known), "")
            wanted = {word.split("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)}
            if not name or wanted - known[name]:
                wrong.append((block.page, " ".join(words)))
    assert wrong == []


def options() -> Iterator[tuple[str, set[str]]]:
    """Each command, as it is written behind `rence`, with its options."""
    from typer.main import get_command

    from rence.cli import app

    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner, one in {"": command, **getattr(command, "commands", {})}.items():
            yield f"{name} {inner}".strip(), {"--help", "-h", *(word for p in one.params for word in p.opts)}


def commands(text: str) -> Iterator[list[str]]:
    """The words behind `rence` of each such command; options in brackets and alternatives count."""
    joined = re.sub(r"\\\n\s*", " ", text)
    joined = re.sub(r"\n {4,}(?=[\[-])", " ", joined)  # a synopsis that goes on in the next line
    for line in joined.splitlines():
        for part in re.split(r"&&|\||;", line.partition(" #")[0]):
            words = part.replace("[", " ").replace("]", " ").split()
            if words and words[0] in ("rence", "$(rence"):
                yield shlex.split(" ".join(words[1:]).rstrip(")"))


def without_placeholders(text: str) -> str:
    return re.sub(r"<[A-Za-z_ ]+>|\[[^\]]*\]", "X", text)
