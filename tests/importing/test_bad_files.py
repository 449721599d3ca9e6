"""Files that are broken, mixed or something else: refused or named in words, and nothing half-made."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Done

Rence = Callable[..., Done]
FOUND = Path("found")


def rows(arm: str, problems: int = 6, k: int = 2) -> list[dict[str, Any]]:
    """Half of the answers are right; of `tuned` three quarters."""
    every = 4 if arm == "tuned" else 2
    return [
        {"question_id": f"q{i}", "question": f"What is {i} + 1?", "gold": str(i + 1), "sample": s}
        | {"response": "It is \\boxed{7}.", "is_correct": (i * k + s) % every != 0}
        for i in range(problems)
        for s in range(k)
    ]


def lines(of: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in of)


TUNED = lines(rows("tuned"))


def put(name: str, data: str | bytes) -> None:
    path = FOUND / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def both(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], name: str = "{}.jsonl") -> None:
    """Both arms; of `tuned` the rows are changed."""
    put(name.format("base"), lines(rows("base")))
    put(name.format("tuned"), lines(change(rows("tuned"))))


def both_all(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Both arms, each row changed."""
    for arm in ("base", "tuned"):
        put(f"{arm}.jsonl", lines([change(row) for row in rows(arm)]))


def first(**cells: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda found: [found[0] | cells, *found[1:]]


def every(
    cell: Callable[[int, dict[str, Any]], dict[str, Any]],
) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda found: [row | cell(n, row) for n, row in enumerate(found)]


def cut(suffix: str) -> None:
    """Both arms as files of this kind, that of `tuned` without its last bytes."""
    for arm in ("base", "tuned"):
        path = FOUND / f"{arm}{suffix}"
        path.parent.mkdir(exist_ok=True)
        if suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows(arm)), path)
        elif suffix == ".jsonl.gz":
            path.write_bytes(gzip.compress(lines(rows(arm)).encode()))
        elif suffix == ".json":
            path.write_text(json.dumps({"results": rows(arm)}))
        else:
            path.write_text(lines(rows(arm)))
        if arm == "tuned":
            path.write_bytes(path.read_bytes()[:-20])


def deep() -> None:
    both(lambda found: found)
    put("tuned.jsonl", "[" * 200_000)


def zipped() -> None:
    FOUND.mkdir()
    with zipfile.ZipFile(FOUND / "results.zip", "w") as file:
        file.writestr("base.jsonl", lines(rows("base")))


def instead(data: str | bytes) -> None:
    """Both arms, and this as the file of `tuned`."""
    both(lambda found: found)
    put("tuned.jsonl", data)


POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n"
)


@dataclass(frozen=True)
class Bad:
    make: Callable[[], None]
    says: tuple[str, ...]
    """in the error, each"""


REFUSED = {
    "cut JSON lines": Bad(lambda: cut(".jsonl"), ("tuned.jsonl:12", "JSON")),
    "cut JSON": Bad(lambda: cut(".json"), ("tuned.json", "JSON")),
    "cut Parquet": Bad(lambda: cut(".parquet"), ("tuned.parquet",)),
    "cut gzip": Bad(lambda: cut(".jsonl.gz"), ("tuned.jsonl.gz",)),
    "nested too deep": Bad(deep, ("tuned.jsonl",)),
    "latin-1": Bad(lambda: instead(TUNED.replace("What", "Qué").encode("latin-1")), ("tuned.jsonl", "UTF-8")),
    "an empty file": Bad(lambda: instead(""), ("tuned.jsonl",)),
    "a Git LFS pointer": Bad(lambda: instead(POINTER), ("tuned.jsonl", "Git LFS")),
    "only a Git LFS pointer": Bad(lambda: put("tuned.parquet", POINTER), ("tuned.parquet", "Git LFS")),
    "an archive": Bad(zipped, ("results.zip",)),
    "torch's file": Bad(lambda: put("eval_0.pt", b"PK\x03\x04torch"), ("eval_0.pt",)),
    "a spreadsheet": Bad(lambda: put("marks.xlsx", b"PK\x03\x04"), ("marks.xlsx",)),
    "the same sample twice": Bad(lambda: both(lambda f: [*f, f[0]]), ("q0", "sample 0")),
    "a problem too few": Bad(lambda: both(lambda f: f[2:]), ("q0", "--common")),
    "an answer too few": Bad(lambda: both(lambda f: f[1:]), ("q0", "--common")),
    "a mark that is empty": Bad(lambda: both(first(is_correct=None)), ("tuned.jsonl:1",)),
    "a mark that is a word": Bad(lambda: both(first(is_correct="maybe")), ("`is_correct`", "maybe")),
    "shares for marks": Bad(lambda: both(every(lambda n, row: {"is_correct": n / 12})), ("`is_correct`", "0.25")),
    "a score above one": Bad(lambda: both(first(is_correct=7)), ("`is_correct`", "(7, ")),
    "percent among fractions": Bad(lambda: both(every(lambda n, row: {"is_correct": n % 2 * 100})), ("100",)),
    "answers without a box": Bad(
        lambda: both_all(lambda row: {k: v for k, v in row.items() if k != "is_correct"} | {"response": "7"}),
        ("--mark --reading anywhere",),
    ),
    "one gold for all, and no marks": Bad(
        lambda: both_all(lambda row: {k: v for k, v in row.items() if k != "is_correct"} | {"gold": "see the book"}),
        ("nothing says which answers are correct",),
    ),
    "arms under a name of one's own": Bad(
        lambda: put("all.jsonl", lines([r | {"flavour": a} for a in ("tuned", "base") for r in rows(a)])),
        ("--column arm=flavour",),
    ),
    "NaN": Bad(lambda: instead(lines(first(is_correct=float("nan"))(rows("tuned")))), ("tuned.jsonl:1", "NaN")),
    "another gold": Bad(lambda: both(first(gold="8")), ("gold",)),
    "an id of two texts": Bad(lambda: both(first(question="Another?")), ("attempts",)),
    "only a README": Bad(lambda: put("README.md", "# Results"), ("found",)),
    "nothing at all": Bad(lambda: FOUND.mkdir(), ("found",)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_words(rence: Rence, name: str) -> None:
    bad = REFUSED[name]
    bad.make()
    before = sorted(Path().rglob("*"))
    done = rence("import", "found", "--out", "run")
    assert done.code in (2, 3), done.out
    assert all(word in done.err for word in bad.says), done.err
    assert "This is a bug" not in done.err and sorted(Path().rglob("*")) == before


def marks(arm: str) -> list[str]:
    (file,) = Path("run").glob(f"{arm}/seed*/evals/*/*/attempts.parquet")
    return pq.read_table(file)["mark"].to_pylist()


READ = {
    "a byte order mark": lambda: instead(b"\xef\xbb\xbf" + TUNED.encode()),
    "UTF-16": lambda: instead(TUNED.encode("utf-16")),
    "lines of Windows": lambda: instead(TUNED.replace("\n", "\r\n")),
    "blank lines": lambda: instead("\n" + TUNED.replace("\n", "\n\n")),
    "both in one file": lambda: put("all.jsonl", lines([r | {"model": a} for a in ("tuned", "base") for r in rows(a)])),
    "an id beyond floats": lambda: [
        put(f"{arm}.jsonl", lines([row | {"question_id": 10**30 + int(row["question_id"][1:])} for row in rows(arm)]))
        for arm in ("base", "tuned")
    ],
    "keys with dots, spaces and braces": lambda: [
        put(f"{arm}.jsonl", lines([row | {"a.b": 1, " c ": 2, "{arm}": 3, "": 4, "ü" * 300: 5} for row in rows(arm)]))
        for arm in ("base", "tuned")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read_all_the_same(rence: Rence, name: str) -> None:
    READ[name]()
    done = rence("import", "found", "--out", "run")
    assert done.code == 0, done.err
    assert [marks(arm).count("correct") for arm in ("base", "tuned")] == [6, 9]


def test_common_keeps_what_all_have(rence: Rence) -> None:
    both(lambda found: found[2:])
    assert rence("import", "found", "--out", "run", "--common").code == 0
    # without q0: base had one of two right there, tuned the second of two
    assert [(marks(arm).count("correct"), len(marks(arm))) for arm in ("base", "tuned")] == [(5, 10), (8, 10)]
