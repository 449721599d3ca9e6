"""Files that are no results: each is told what it is, where it is wrong, what is read, and what to do."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Done

Rence = Callable[..., Done]
ROWS = [{"id": f"q{i}", "question": f"What is {i}?", "gold": i, "correct": i % 2} for i in range(9)]


def table(separator: str = ",", rows: int = 9) -> str:
    lines = [separator.join(ROWS[0]), *(separator.join(map(str, row.values())) for row in ROWS[:rows])]
    return "".join(line + "\n" for line in lines)


def packed() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a.jsonl", "{}")
    return made.getvalue()


TOKENIZER = json.dumps({"added_tokens": [{"id": i, "content": f"<{i}>", "special": True} for i in range(3)]})
HTML = "<!DOCTYPE html>\n<html><head><title>404, x</title></head><body>Not found</body></html>\n"
SWE = {
    name: {"total_instances": 3, "resolved_instances": 1, "completed_ids": ["a", "b"], "incomplete_ids": []}
    | {"submitted_ids": ["a", "b"], "resolved_ids": ["a"], "unresolved_ids": ["b"]}
    for name in ("one", "two")
}
CELLS = [{"cell_type": "code", "source": ["1"], "outputs": [], "execution_count": 1}]
ANSWERS: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "a config": ("config.yaml", b"model: a\nlr: 1e-6\n", ("is YAML", "JSON lines")),
    "a tokenizer": ("tokenizer.json", TOKENIZER.encode(), ("is a tokenizer", "no results")),
    "a package": ("package.json", b'{"name": "x", "version": "1.0.0"}', ("package of JavaScript", "no results")),
    "a model's config": ("config.json", b'{"hidden_size": 896, "vocab_size": 151936}', ("describes a model",)),
    "numbers that are no scores": ("sizes.json", b'{"hidden": 896, "vocab": 151936}', ("`hidden`, `vocab`",)),
    "a notebook": ("run.ipynb", json.dumps({"cells": CELLS}).encode(), ("Jupyter notebook",)),
    "a notebook called JSON": ("run.json", json.dumps({"cells": CELLS}).encode(), ("no answers", "`cells`")),
    "an empty file": ("a.jsonl", b"", ("a.jsonl is empty",)),
    "an empty Parquet": ("a.parquet", b"", ("a.parquet is empty",)),
    "blank lines": ("a.jsonl", b"\n\n", ("blank lines",)),
    "an empty list": ("a.json", b"[]", ("an empty list",)),
    "an empty object": ("a.json", b"{}", ("an empty object",)),
    "null": ("a.json", b"null", ("nothing but nulls",)),
    "a number": ("a.json", b"3", ("nothing but one number",)),
    "lists of texts": ("a.json", b'[["def f(): 1", "x"], ["y", "z"]]', ("lists of texts", "named values")),
    "an archive called JSON": ("a.json", packed(), ("zip archive", "Unpack it")),
    "a picture": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), ("PNG picture",)),
    "a web page": ("a.json", HTML.encode(), ("HTML page", "Download")),
    "a web page called CSV": ("a.csv", HTML.encode(), ("HTML page", "Download")),
    "XML": ("a.json", b'<?xml version="1.0"?><Error>AccessDenied</Error>', ("is XML",)),
    "a Git LFS pointer": ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", ("Git LFS",)),
    "a header alone": ("a.csv", table(rows=0).encode(), ("no rows below", "id,question,gold,correct")),
    "decimal commas": ("a.csv", b"id;gold;score\n" + b"".join(b"q%d;1;%d,0\n" % (i, i % 2) for i in range(9)),
                       ("decimal comma", "0,0")),
    "Latin-1": ("a.csv", table().replace("What", "Qu\xe9").encode("latin-1"), ("0xe9", "-f latin1 -t utf8 a.csv")),
    "UTF-16 without a mark": ("a.csv", table().encode("utf-16-le"), ("UTF-16", "iconv -f utf-16le -t utf8 a.csv")),
    "a workbook": ("a.xlsx", packed(), ("a.xlsx", "CSV")),
    "gzip without its ending": ("a.jsonl", gzip.compress(b"{}\n", mtime=0), ("packed by gzip", "a.jsonl.gz")),
    "gzip that is none": ("a.jsonl.gz", b"{}\n", ("is called .gz", "take .gz off")),
    "Parquet that is none": ("a.parquet", b'{"id": 1}\n', ("is called .parquet",)),
    "Parquet called JSON": ("a.json", b"PAR1" + bytes(50), ("Parquet file", "a.parquet")),
    "Python's own words": ("a.json", b"{'id': 1, 'correct': True}\n", ("Python's own objects", "json.dumps")),
    "a log": ("a.log", b"step 1 loss 0.3\n", ("begins with `step 1 loss 0.3`", ".csv")),
    "results that are empty": ("a.jsonl", b'{"id": "a", "gold": "1", "correct": NaN}\n' * 9, ("`correct` is empty",)),
    "problems": ("a.jsonl", b'{"question": "What?", "answer": "1"}\n' * 9, ("holds problems", "rence eval")),
    "a report of SWE-bench": ("a.json", json.dumps(SWE["one"]).encode(), ("`resolved_ids`", "instance_id")),
    "two reports of SWE-bench": ("a.jsonl", "".join(json.dumps(one) + "\n" for one in SWE.values()).encode(),
                                 ("`resolved_ids`", "instance_id")),
}  # fmt: skip


def database(name: str) -> None:
    made = sqlite3.connect(name)
    made.execute("create table answers(a int)")
    made.commit()
    made.close()


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_file_is_and_what_to_do(rence: Rence, name: str) -> None:
    file, content, says = ANSWERS[name]
    Path(file).write_bytes(content)
    done = rence("import", file, "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    assert file in done.err and "``" not in done.err and "(char " not in done.err and "none." not in done.err
    assert all(word in done.err for word in says), done.err


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_tables_with_other_separators_are_read(rence: Rence, separator: str) -> None:
    Path("a.csv").write_text(table(separator))
    done = rence("import", "a.csv", "--benchmark", "sums", "--out", "run")
    assert done.code == 0 and "9 problems" in done.out and "44.4 %" in done.out, done.err


def test_logs_of_bigcode_are_read(rence: Rence) -> None:
    """A list of pairs, of the number of a completion and what came of it, for each problem."""
    logs = {str(i): [[k, {"task_id": i, "passed": k < i, "completion_id": k}] for k in range(4)] for i in range(5)}
    Path("logs.json").write_text(json.dumps(logs))
    done = rence("import", "logs.json", "--benchmark", "sums", "--out", "run")
    assert done.code == 0 and "5 problems, k 4" in done.out and "50.0 %" in done.out, done.err


@pytest.mark.parametrize("command", [("import",), ("import", "scores")])
def test_a_database_of_another_program_is_left_as_it_is(rence: Rence, command: tuple[str, ...]) -> None:
    database("a.db")
    before = Path("a.db").read_bytes()
    done = rence(*command, "a.db", "--out", "run")
    assert done.code in (2, 3) and "a.db" in done.err and Path("a.db").read_bytes() == before


SCORES: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "answers": ("a.csv", table().encode(), ("answers to problems", "question, gold", "rence import a.csv")),
    "no scores": (
        "a.json",
        b'{"total_instances": 3, "errors": 1}',
        ("none of which is a score by its name",),
    ),
    "a tokenizer": ("tokenizer.json", TOKENIZER.encode(), ("is a tokenizer",)),
    "an empty list": ("a.json", b"[]", ("an empty list",)),
    "an empty file": ("a.json", b"", ("a.json is empty",)),
    "a web page": ("a.csv", HTML.encode(), ("HTML page",)),
    "UTF-16": ("a.csv", table().encode("utf-16"), ("UTF-16", "iconv -f utf-16 -t utf8 a.csv")),
    "an archive": ("a.zip", packed(), ("zip archive",)),
    "a header alone": ("a.csv", b"arm,seed,score\n", ("no rows below", "arm, seed, score")),
}


@pytest.mark.parametrize("name", SCORES)
def test_what_a_file_of_no_scores_is(rence: Rence, name: str) -> None:
    file, content, says = SCORES[name]
    Path(file).write_bytes(content)
    done = rence("import", "scores", file, "--out", "run")
    assert done.code in (2, 3) and not Path("run").exists(), done.out
    assert "(char " not in done.err and all(word in done.err for word in says), done.err


def test_reviews_without_choices_hold_no_answers(rence: Rence) -> None:
    """As reviews of evalscope whose `choices` are all empty."""
    row = {"model": "base", "choices": [], "subset_name": "main", "raw_input": {"question": "1 + 2?", "answer": "3"}}
    Path("sums_main.jsonl").write_text("".join(json.dumps(row | {"index": i}) + "\n" for i in range(12)))
    for options in ([], ["--mark"], ["--benchmark", "sums"]):
        done = rence("import", "sums_main.jsonl", *options, "--out", "run")
        assert done.code == 3 and "`choices` is empty in all rows, so there are no answers in it." in done.err
