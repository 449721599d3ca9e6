"""Rows put on disk as they are read, and taken back evaluation by evaluation, whatever their order was.

Raises, everywhere in this module: OSError where the disk is full; DataError where an evaluation would fill the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.base.machine_memory import memory
from harness.importing.rows import NO_SEED
from harness.records import DataError
from harness.records.schema import COLUMNS, AttemptColumn

FILES = 256
"""open at the same time at most; evaluations beyond so many share them"""
Who = tuple[str, int, int, str]
"""arm, seed or NO_SEED, step and benchmark, of one evaluation"""
WHO = ("arm", "seed", "step", "benchmark")
_NUMBER = "evaluation"
_COPIES = 3
"""of an evaluation's rows while they are put in order: 206 bytes a row where its cells have 80 (docs/LOG.md)"""
_CODED = pa.dictionary(pa.int32(), pa.string())


def _kept() -> pa.Schema:
    """What is not the same in all rows of an evaluation, or must be seen to be."""
    beside = [("source", pa.int32()), ("line", pa.int64()), ("version", pa.string()), ("coarse", pa.bool_())]
    ours = [(name, _type(c)) for name, c in COLUMNS.items() if not c.ours and name not in WHO]
    return pa.schema([(_NUMBER, pa.int32()), *beside, *ours])


def _type(column: AttemptColumn) -> pa.DataType:
    """Words that most rows share, marks among them, are kept once: half of what an evaluation takes in memory."""
    return _CODED if column.word or column.name.startswith("mark") else pa.type_for_alias(column.arrow)


class Spool:
    """A folder of Arrow streams. Each holds the rows of some evaluations, in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._schema = folder, _kept()
        self._numbers: dict[Who, int] = {}
        self._writers: dict[int, pa.RecordBatchStreamWriter] = {}
        self._bytes: Counter[int] = Counter()
        self.arms: dict[str, None] = {}
        self.benchmarks: dict[str, None] = {}
        """both in the order in which they first appeared"""

    @property
    def found(self) -> list[Who]:
        """The evaluations: arms and benchmarks as they first appeared, seeds and steps ascending."""
        arms, benchmarks = list(self.arms), list(self.benchmarks)
        places = {name: place for place, name in enumerate(arms)}, {name: i for i, name in enumerate(benchmarks)}
        return sorted(self._numbers, key=lambda who: (places[0][who[0]], who[1], who[2], places[1][who[3]]))

    def add(self, rows: pd.DataFrame) -> None:
        """
        Args:
            rows: as of `rows.frame`, marked.
        """
        self.arms.update(dict.fromkeys(rows["arm"].unique()))
        self.benchmarks.update(dict.fromkeys(rows["benchmark"].unique()))
        numbers = self._number(rows)
        columns = [
            _array(numbers if name == _NUMBER else rows[name].to_numpy(), kind)
            for name, kind in zip(self._schema.names, self._schema.types, strict=True)
        ]
        batch = pa.record_batch(columns, schema=self._schema)
        file = numbers % FILES
        order = np.argsort(file, kind="stable")
        ends = np.flatnonzero(np.diff(file[order], append=-1)) + 1
        # rows of one file lie together in most inputs: then nothing has to be put in another order
        batch = batch if (order == np.arange(len(order))).all() else batch.take(pa.array(order))
        for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
            number, part = int(file[order[begin]]), batch.slice(begin, end - begin)
            self._bytes[number] += part.nbytes
            self._writer(number).write_batch(part)

    def take(self, again: bool = False) -> Iterator[tuple[Who, pa.Table]]:
        """Each evaluation with its rows, in no order that means anything.

        Args:
            again: whether they will be taken once more; if not, what was taken is gone from the disk.
        """
        for writer in self._writers.values():
            writer.close()
        names = {number: who for who, number in self._numbers.items()}
        for file in sorted(self._writers):
            path = self._path(file)
            _check_memory(_COPIES * self._bytes[file])
            with pa.OSFile(str(path)) as opened:
                table = pa.ipc.open_stream(opened).read_all().unify_dictionaries()
            if not again:
                path.unlink()
            numbers = table[_NUMBER].to_numpy()
            table = table.drop_columns([_NUMBER])
            distinct = np.unique(numbers).tolist()
            if len(distinct) == 1:
                alone = [table]
                del table  # whoever gets it is the only one who holds it: two evaluations are never in memory
                yield names[distinct[0]], alone.pop()
                continue
            table = table.combine_chunks()
            for number in distinct:
                yield names[number], table.take(pa.array(np.flatnonzero(numbers == number)))
            del table

    def _number(self, rows: pd.DataFrame) -> np.ndarray:
        """Of the evaluation of each row, from 0 in the order of their coming."""
        code = np.zeros(len(rows), np.int64)
        for name in WHO:
            codes, distinct = pd.factorize(rows[name])
            code = code * len(distinct) + codes
        codes, _ = pd.factorize(code)
        _, first = np.unique(codes, return_index=True)
        whos = rows[list(WHO)].iloc[first].itertuples(index=False, name=None)
        numbers = [self._numbers.setdefault(_plain(who), len(self._numbers)) for who in whos]
        return np.array(numbers, np.int32)[codes]

    def _writer(self, file: int) -> pa.RecordBatchStreamWriter:
        if file not in self._writers:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writers[file] = pa.ipc.new_stream(str(self._path(file)), self._schema, options=options)
        return self._writers[file]

    def _path(self, file: int) -> Path:
        return self._folder / f"{file}.arrows"


def _check_memory(needed: int) -> None:
    if needed > (free := memory()[0]):
        raise DataError(
            f"the answers of one evaluation need about {needed / 1e9:.1f} GB of memory to be put in order, and "
            f"{free / 1e9:.1f} GB are free.\nImport fewer answers to each problem, or leave out the texts."
        )


def _array(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if kind == _CODED:
        return pa.array(values, pa.string(), from_pandas=True).dictionary_encode()
    return pa.array(values, kind, from_pandas=True)


def _plain(who: tuple[object, ...]) -> Who:
    arm, seed, step, benchmark = cast(tuple[str, int, int, str], who)
    return str(arm), NO_SEED if seed == NO_SEED else int(seed), int(step), str(benchmark)
