"""Tables are read in parts of bounded size, packed or not by one path, and by Arrow what Python would read so."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.base.machine_memory import memory
from harness.importing import csv_blocks, folder, readers, recognised, spool
from harness.importing.raw import Raw
from harness.importing.shapes import shape_parts
from harness.importing.shapes.missing import Command
from harness.importing.sources import ImportSource
from harness.records import DataError

ROWS = [
    {"arm": arm, "seed": 0, "benchmark": "sums", "problem_id": f"p{i:03}", "sample": s, "question": f"What, is {i}?",
     "response": 'He said "4", and\tmore' if s else "", "gold": "4", "correct": int(arm == "b")}
    for arm in ("a", "b") for i in range(40) for s in range(3)
]  # fmt: skip
KINDS = ("jsonl", "csv", "parquet", "jsonl.gz", "csv.gz", "jsonl.zst", "csv.zst")


def save(path: Path) -> None:
    kind, _, packed = path.name.partition(".")[2].partition(".")
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return
    text = io.StringIO(newline="")
    if kind == "csv":
        writer = csv.DictWriter(text, list(ROWS[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(ROWS)
    else:
        text.writelines(json.dumps(row) + "\n" for row in ROWS)
    with pa.output_stream(str(path), compression={"": None, "gz": "gzip", "zst": "zstd"}[packed]) as file:
        file.write(text.getvalue().encode())


def read(path: Path, *names: str) -> list[Raw]:
    return list(readers.parts(ImportSource(path), {name: name for name in names}))


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_bounded_and_the_same_however_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(readers, "ROWS", 50)
    monkeypatch.setattr(readers, "_DECODED", 50)
    path = tmp_path / f"a.{kind}"
    save(path)
    raws = read(path, "problem_id", "question", "response", "correct")
    assert [len(raw.lines) for raw in raws] == [50, 50, 50, 50, 40]
    said = [(str(row["problem_id"]), row["question"], row["response"], str(row["correct"])) for row in ROWS]
    columns = ("problem_id", "question", "response", "correct")
    assert [tuple(map(str, row)) for raw in raws for row in zip(*(raw[name] for name in columns), strict=True)] == said
    first = {"parquet": 1, "csv": 2}.get(kind.partition(".")[0], 1)
    assert [int(line) for raw in raws for line in raw.lines] == list(range(first, first + len(ROWS)))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_equal_texts_of_a_part_are_one_object(tmp_path: Path, kind: str) -> None:
    """A million cells of a thousand problems hold a thousand texts."""
    save(tmp_path / f"a.{kind}")
    (raw,) = read(tmp_path / f"a.{kind}", "question", "response")
    assert len({id(text) for text in raw["question"]}) == 40
    assert len({id(text) for text in raw["response"]}) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_recognised_table_is_read_by_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """None of its rows is made a document of, but for those that are looked at."""
    save(tmp_path / f"a.{kind}")
    asked = recognised.AnyOptions()
    found = recognised.recognise([ImportSource(tmp_path / f"a.{kind}")], asked, None, Command([]))

    def refuse(*_: Any) -> None:
        raise AssertionError("row by row")

    monkeypatch.setattr(shape_parts, "_nested", refuse)
    rows = list(recognised.read_all(found, asked).parts)
    assert sum(map(len, rows)) == len(ROWS)
    assert sum(part["mark"].tolist().count("correct") for part in rows) == 120


SAME = {
    "plain": b"a,b\n1,x\n2,y\n",
    "without an end": b"a,b\n1,x\n2,y",
    "windows": b"a,b\r\n1,x\r\n2,y\r\n",
    "byte order mark": b"\xef\xbb\xbfa,b\n1,x\n",
    "quoted": b'a,b\n"1","x, ""y"""\n"",""\n',
    "empty cells": b"a,b\n,\n1,\n",
    "doubled alone": b'a,b\n"""",x\n',
    "utf-8": "a,b\n1,é\n".encode(),
}
PYTHON = {
    "a line end in a cell": b'a,b\n1,"x\ny"\n2,z\n',
    "an empty line": b"a,b\n1,x\n\n2,y\n",
    "at the end": b"a,b\n1,x\n\n",
    "a mark in a word": b'a,b\n1,x"y\n2,z"\n',
    "two in a word": b'a,b\n1,x"y"z\n',
    "old mac": b"a,b\r1,x\r",
    "a name twice": b"a,a\n1,x\n",
}
WRONG = {
    "after a mark": (b'a,b\n1,"x"y\n', "a.csv:2 is not valid CSV"),
    "empty and more": (b'a,b\n1,""y,""z\n', "a.csv:2 is not valid CSV"),
    "not closed": (b'a,b\n1,"x\n', "a.csv:2 is not valid CSV"),
    "short": (b"a,b\n1,x\n2\n", "a.csv:3 must have 2 cells"),
    "long": (b"a,b\n1,x,y\n", "a.csv:2 must have 2 cells"),
    "latin": (b"a,b\n1,\xe9\n", "is not UTF-8"),
}


def by_python(path: Path) -> list[tuple[str, ...]]:
    text = path.read_bytes().decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [tuple(dict(zip(header, row, strict=True)).values()) for row in rows if row]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", [*SAME, *PYTHON])
def test_arrow_and_python_read_the_same_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, size: int
) -> None:
    monkeypatch.setattr(readers, "CHARACTERS", 4 * size)
    path = tmp_path / "a.csv"
    path.write_bytes({**SAME, **PYTHON}[name])
    header = next(csv.reader([path.read_text("utf-8-sig").splitlines()[0]]))
    names: dict[str, None] = dict.fromkeys(header)
    raws = read(path, *names)
    assert [tuple(row) for raw in raws for row in raw.cells.to_numpy().tolist()] == by_python(path)
    with path.open("rb") as file:
        assert (list(csv_blocks.tables(file, 1 << 20, list(names)))[-1] is None) == (name in PYTHON)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_by_its_line(tmp_path: Path, name: str) -> None:
    content, said = WRONG[name]
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / "a.csv", "a", "b")


def test_a_packed_table_that_was_cut_off(tmp_path: Path) -> None:
    save(tmp_path / "a.csv.gz")
    whole = (tmp_path / "a.csv.gz").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is cut off or no gzip file"):
        read(tmp_path / "a.csv.gz", "gold")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n2\n"))
    with pytest.raises(DataError, match=r"b\.csv\.gz:3 must have 2 cells"):
        read(tmp_path / "b.csv.gz", "a")


def test_two_evaluations_are_never_held_at_once(tmp_path: Path) -> None:
    """The spool keeps nothing of what it gave."""
    from weakref import ref

    from harness.importing.rows import frame

    held = spool.Spool(tmp_path / "rows")
    columns = {"arm": "a", "seed": 0, "step": 0, "problem_id": "p", "sample": 0, "gold": "4", "mark": "correct"}
    for name in ("x", "y"):
        held.add(frame(0, readers.np.arange(1, 4), columns | {"benchmark": name}))
    before = None
    for _, rows in held.take():
        assert before is None or before() is None
        before = ref(rows)
        assert rows.schema.field("mark").type == pa.dictionary(pa.int32(), pa.string())
        del rows


def test_an_evaluation_is_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "ROWS", 50)
    save(tmp_path / "a.csv")
    asked = recognised.AnyOptions()
    found = recognised.recognise([ImportSource(tmp_path / "a.csv")], asked, None, Command([]))
    folder.write(recognised.read_all(found, asked), "x", {}, folder.ImportComparison(), tmp_path / "run")
    files = sorted((tmp_path / "run").rglob("attempts.parquet"))
    groups = [pq.ParquetFile(path).metadata for path in files]
    assert [[one.row_group(i).num_rows for i in range(one.num_row_groups)] for one in groups] == [[50, 50, 20]] * 2
    assert [pq.read_table(path)["problem_id"].to_pylist()[::3] for path in files] == [
        [f"p{i:03}" for i in range(40)]
    ] * 2


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the machine's memory 100 GB are free, of the container's 1,000 bytes: refused."""
    save(tmp_path / "a.csv")
    for name, text in (("memory.max", "5000"), ("memory.current", "4000"), ("memory.stat", "inactive_file 0")):
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "meminfo").write_text("MemTotal: 200000000 kB\nMemAvailable: 100000000 kB\n")
    monkeypatch.setattr(spool, "memory", lambda: memory(tmp_path, tmp_path))
    found = recognised.recognise([ImportSource(tmp_path / "a.csv")], recognised.AnyOptions(), None, Command([]))
    with pytest.raises(DataError, match=r"0\.0 GB are free"):
        folder.write(
            recognised.read_all(found, recognised.AnyOptions()), "x", {}, folder.ImportComparison(), tmp_path / "run"
        )
    (tmp_path / "memory.max").write_text("max\n")
    folder.write(
        recognised.read_all(found, recognised.AnyOptions()), "x", {}, folder.ImportComparison(), tmp_path / "run"
    )


def test_an_evaluation_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.csv")
    asked = recognised.AnyOptions()
    found = recognised.recognise([ImportSource(tmp_path / "a.csv")], asked, None, Command([]))
    monkeypatch.setattr(spool, "memory", lambda: (1000, 8000))
    with pytest.raises(DataError, match=r"one evaluation need about 0\.0 GB of memory .* 0\.0 GB are free"):
        folder.write(recognised.read_all(found, asked), "x", {}, folder.ImportComparison(), tmp_path / "run")
    assert not (tmp_path / "run").exists()
