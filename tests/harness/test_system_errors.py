"""What the system refuses is an error of the user's disk, whatever library met it: it names the file, and exits 3."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import INCOMPLETE, USAGE, naming, of_system

FULL = Path("/dev/full")
"""Linux's disk that is always full"""
on_linux = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


def with_torch() -> None:
    import torch

    with FULL.open("wb") as file:
        torch.save({"weights": torch.zeros(100_000)}, file)


def with_pyarrow() -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"mark": list(range(100_000))})
    with pyarrow.OSFile(str(FULL), "wb") as file:  # by its name pyarrow would remove what it could not write
        pyarrow.parquet.write_table(table, file)


def by_hand() -> None:
    with FULL.open("w") as file:
        file.write("text")


@on_linux
@pytest.mark.parametrize("write", [with_torch, with_pyarrow, by_hand])
def test_a_full_disk_is_called_so_and_the_file_is_named(write: Callable[[], None], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as full, naming(tmp_path / "file"):
        write()
    mended = of_system(full.value)
    assert mended and mended.exit_code == INCOMPLETE
    assert str(mended).startswith(f"no space left to write {tmp_path / 'file'}. What is written is safe")


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files")
def test_safetensors_in_rust_is_understood(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:  # the limit is this process's for ever
        code = 1
        try:
            import torch
            from safetensors.torch import save_file

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            try:
                with naming(tmp_path / "model"):
                    save_file({"weights": torch.zeros(100_000)}, tmp_path / "model.safetensors")
            except OSError as error:
                code = 0 if (error.errno, error.filename) == (errno.EFBIG, str(tmp_path / "model")) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENODEV])
def test_a_disk_that_fails_is_no_bug_of_ours(number: int) -> None:
    mended = of_system(OSError(number, os.strerror(number), "run/.plan.json.new", None, "run/plan.json"))
    assert mended and mended.exit_code == INCOMPLETE
    assert str(mended).startswith(f"the disk does not read or write run/plan.json: {os.strerror(number)}.")


def test_what_may_not_be_written_is_a_mistake_and_what_is_not_of_the_system_stays_what_it_is() -> None:
    denied = of_system(PermissionError(errno.EACCES, "Permission denied", "run"))
    assert denied and denied.exit_code == USAGE
    with pytest.raises(ValueError, match="seven"), naming(Path("run")):
        raise ValueError("seven")
    assert of_system(OSError("no number")) is None


def test_a_file_that_has_a_name_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing, naming(tmp_path):
        (tmp_path / "other").open()
    assert missing.value.filename == str(tmp_path / "other")
