"""Reads one source: its file if the data folder has it, the hub otherwise. Either way it is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.asking import SEVERAL
from benchmarks.maths import cleaning
from benchmarks.maths.sources import Hub, Source
from benchmarks.problems import Problem, ProblemsError, hash_of

DATA_DIR = "RENCE_DATA_DIR"
FOLDERS = ("", "benchmarks", "train")
"""where a file may be in the data folder"""


def load(source: Source) -> tuple[Problem, ...]:
    """In the source's order. A problem whose answer cannot be made a gold has the gold "" (training sets have some).

    Raises: ProblemsError if the problems are neither here nor on the hub, or are not those that are pinned.
    """
    file = local_file(source)
    return _from_hub(source) if file is None else _from_file(source, file)


def local_file(source: Source) -> Path | None:
    """The file of this source in the data folder, or None.

    Raises: ProblemsError if RENCE_DATA_DIR names no folder.
    """
    named = os.environ.get(DATA_DIR)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ProblemsError(f"{DATA_DIR} must name a folder, but `{named}` is none.")
    files = (folder / place / f"{source.file}.jsonl" for place in FOLDERS)
    return next((file for file in files if file.is_file()), None)


def _from_file(source: Source, file: Path) -> tuple[Problem, ...]:
    with file.open(encoding="utf-8") as lines:
        try:
            problems = _problems(source, (json.loads(line) for line in lines), "problem", "answer")
        except (ValueError, KeyError) as error:
            raise ProblemsError(
                f"{file} must hold JSON lines with `problem` and `answer`, but reading it failed: {error!r}."
            ) from None
    found = hash_of(problems)
    if found != source.content:
        raise ProblemsError(
            f"{file} must hold the {source.rows} problems of `{source.name}` with the hash {source.content}, "
            f"but holds {len(problems)} with the hash {found} instead.\n"
            f"Put the right file there, or remove it and the hub's `{source.hub.id}` is loaded instead."
        )
    return problems


def _from_hub(source: Source) -> tuple[Problem, ...]:
    hub = source.hub
    try:
        rows = _fetch(hub)
        extracted = ({**row, hub.answer: hub.extract(row[hub.answer])} for row in rows)
        problems = _problems(source, extracted, hub.question, hub.answer)
    except ImportError:
        raise ProblemsError(_neither(source, "is read with `pip install 'rence-bench[eval]'`")) from None
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise ProblemsError(_neither(source, f"cannot be read: {reason}")) from None
    if len(problems) != hub.rows:
        raise ProblemsError(
            f"`{hub.id}` at {hub.revision} must have {hub.rows} problems, but has {len(problems)} instead."
        )
    return problems


def _fetch(hub: Hub) -> Iterable[Mapping[str, Any]]:
    from datasets import load_dataset

    return load_dataset(hub.id, hub.config, split=hub.split, revision=hub.revision)  # type: ignore[return-value]


def _neither(source: Source, why: str) -> str:
    named = os.environ.get(DATA_DIR)
    here = f"{source.file}.jsonl is not in {named} ({DATA_DIR})" if named else f"{DATA_DIR} is not set"
    return (
        f"the problems of `{source.name}` are not here: {here}, and the hub's `{source.hub.id}` {why}\n"
        f"Either set {DATA_DIR} to a folder that holds {source.file}.jsonl, or connect to the hub once; "
        "its cache is used from then on (HF_HOME, HF_HUB_OFFLINE)."
    )


def _problems(source: Source, rows: Iterable[Mapping[str, Any]], question: str, answer: str) -> tuple[Problem, ...]:
    return tuple(_problem(source, row, question, answer) for row in rows)


def _problem(source: Source, row: Mapping[str, Any], question: str, answer: str) -> Problem:
    gold = _gold(source, row[answer])
    note = SEVERAL if cleaning.several(gold) else ""
    return Problem(str(row[question]), gold, _tags(source, row), source.rule, note)


def _gold(source: Source, raw: Any) -> str:
    if raw is None:
        return ""
    try:
        return source.clean(str(raw))
    except ValueError:
        return ""


def _tags(source: Source, row: Mapping[str, Any]) -> dict[str, str]:
    found = {tag: row.get(column) for tag, column in source.tags.items()}
    return {tag: str(value) for tag, value in found.items() if value is not None}
