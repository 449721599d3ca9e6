"""What is no file where a file is expected is refused at once, and never opened."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import reports
from benchmarks.files import jsonl
from benchmarks.loading import source
from benchmarks.problems import ProblemsError
from benchmarks.registry import BENCHMARKS
from harness.base.errors import UserError
from harness.config import manifest
from harness.importing import readers
from harness.importing.sources import ImportSource
from harness.models import resolving
from harness.models.resolving import SHIPPED
from harness.records import DataError, user_files
from rence.cli import graded_rows
from reports.gate import nodes, remembering

from benchmarks.marks import MATHS  # isort: skip


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**10)


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "FIFO": (lambda path: os.mkfifo(path), "is a FIFO"),
    "socket": (_socket, "is a socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "nothing": (lambda path: path.symlink_to("nothing"), "is a symbolic link to nothing"),
    "loop": (lambda path: path.symlink_to(path.name), "is a symbolic link that leads back to itself"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    put, said = KINDS[kind]
    path = tmp_path / "x.jsonl"
    put(path)
    assert (wrong := user_files.mistake(path)) and wrong.startswith(said)
    with pytest.raises(UserError, match=said):
        manifest.read(path)
    with pytest.raises(DataError, match=said):
        nodes.read(path)
    with pytest.raises(DataError, match=said):
        remembering.record_of(path, 0.02)
    with pytest.raises(UserError, match=said):
        graded_rows.read(path, MATHS)
    with pytest.raises(DataError, match=said):
        readers.read(ImportSource(path))
    with pytest.raises(ValueError, match=r"x\.jsonl (is|does)"):
        jsonl.read(path)


def test_names_that_cannot_be(tmp_path: Path) -> None:
    assert user_files.mistake(tmp_path / "a\0b") == "cannot be the name of a file"
    assert user_files.mistake(tmp_path / ("a" * 300)) == "cannot be read: File name too long"
    assert user_files.mistake(tmp_path / "x") == "does not exist"
    assert user_files.mistake(Path(__file__)) is None
    assert user_files.mistake(Path(__file__), 10) is not None
    assert user_files.text_of(Path(__file__), 10**6).startswith('"""What is no file')


@pytest.mark.timeout(60)
def test_10_gb_of_nothing_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    _sparse(path)
    with pytest.raises(UserError, match="10,000,000,000 bytes, but at most 1,000,000,000 are read"):
        graded_rows.read(path, MATHS)
    with pytest.raises(ValueError, match="10,000,000,000 bytes, but at most 1,000,000,000 are read"):
        jsonl.read(path)
    with pytest.raises(DataError, match=":1 has more than 268,435,456 characters"):
        readers.read(ImportSource(path))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [*KINDS, "sparse"])
def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    put = _sparse if kind == "sparse" else KINDS[kind][0]
    monkeypatch.setenv(source.DATA_DIR, str(tmp_path))
    put(tmp_path / "aime24.jsonl")
    with pytest.raises(ProblemsError, match=r"must be a regular file|at most 1,000,000,000 are read"):
        replace(BENCHMARKS["aime24"]).problems  # noqa: B018  another, for what was read once is kept


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["FIFO", "socket", "device", "nothing", "loop", "folder"])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_models_files(tmp_path: Path, kind: str, name: str) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    for file in SHIPPED["quickstart-base"].iterdir():
        if file.name != name:
            (folder / file.name).write_bytes(file.read_bytes())
    KINDS[kind][0](folder / name)
    with pytest.raises(UserError, match=rf"{name} is a |is a folder without config.json"):
        resolving.model_hash(resolving.resolve(str(folder)))


def test_a_pipe_that_nobody_needs_is_found_too(tmp_path: Path) -> None:
    """transformers reads what is there of more files than we know."""
    for file in SHIPPED["quickstart-base"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert resolving.resolve(str(tmp_path)) == tmp_path
    os.mkfifo(tmp_path / "processor_config.json")
    with pytest.raises(UserError, match=r"processor_config\.json is a FIFO"):
        resolving.resolve(str(tmp_path))


def test_a_model_of_a_thousand_million_layers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"num_hidden_layers": 1000000000}')
    with pytest.raises(UserError, match="`num_hidden_layers` must be from 0 to 10,000, but is 1e\\+09 instead"):
        resolving.resolve(str(tmp_path))


@pytest.mark.timeout(5)
def test_weights_of_nothing_are_not_hashed(tmp_path: Path) -> None:
    """Ten gigabytes that are no safetensors, which a hash would take ten seconds for."""
    (tmp_path / "config.json").write_text("{}")
    _sparse(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"model.safetensors is no safetensors: its header cannot be read"):
        resolving.resolve(str(tmp_path))


def test_a_folder_that_leads_back_to_itself_is_no_side(tmp_path: Path) -> None:
    loop = tmp_path / "x"
    loop.symlink_to("x")
    with pytest.raises(DataError, match="x"):
        reports.compare(str(loop), str(tmp_path))


def test_bytes_in_the_data_folder_are_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENCE_DATA_DIR", str(tmp_path))
    (tmp_path / "aime24.jsonl").write_bytes(b"\x00\xc5" * 4096)
    with pytest.raises(ProblemsError, match=r"it is not UTF-8 \(byte 2 is 0xc5\)\.$"):
        replace(BENCHMARKS["aime24"]).problems  # noqa: B018  # a copy: another test may have loaded this one


@pytest.mark.parametrize("gold", ["(" * 50_000, "9^" * 20_000 + "9", "\0", "\ud800"])
def test_what_is_no_gold_is_refused(tmp_path: Path, gold: str) -> None:
    problems, rows = tmp_path / "p.jsonl", tmp_path / "r.jsonl"
    problems.write_text(json.dumps({"problem": "a", "answer": gold}) + "\n")
    rows.write_text(json.dumps({"gold": gold, "pred": "1"}) + "\n")
    said = "`answer` (is longer than 10,000 characters|holds a NUL character|holds half of a surrogate pair)"
    with pytest.raises(ValueError, match=said):
        jsonl.read(problems)
    if gold == "\0":  # which a file that is graded may hold
        assert graded_rows.read(rows, MATHS)[0].gold == gold
        return
    with pytest.raises(UserError, match=said.replace("answer", "gold")):
        graded_rows.read(rows, MATHS)
