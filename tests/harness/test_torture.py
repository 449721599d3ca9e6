"""`make torture` finds what it looks for: a program that writes in place is caught, one that renames is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).parents[2] / "bench" / "torture"
PROGRAM = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {torture!r})
import shim
shim.load(sys.argv)
from judge import Versions, tree
from shim import Call, Kind, Point, Shim

root = Path({root!r})

def in_place():
    (root / "plan.json").write_text("0123456789")

def renamed():
    (root / ".plan.json.new").write_text("0123456789")
    os.rename(root / ".plan.json.new", root / "plan.json")

def left(write, call, file, kind):
    # what is there after the point, how the process ended, and what is called half-written
    for path in root.iterdir(): path.unlink()
    steered = Shim(root)
    steered.aim(Point(call, file, 1), kind)
    child = os.fork()
    if child == 0:
        code = 0
        try:
            steered.arm()
            write()
        except OSError as error:
            code = error.errno
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    versions = Versions()
    versions.add({{"plan.json": b"0123456789"}})
    return steered.tripped, code, versions.half_written(tree(root))

print(json.dumps([
    left(in_place, Call.WRITE, "plan.json", Kind.KILL_HALF),
    left(in_place, Call.WRITE, "plan.json", Kind.FULL),
    left(in_place, Call.WRITE, "plan.json", Kind.KILL_AFTER),
    left(renamed, Call.WRITE, ".plan.json.new", Kind.FULL),
    left(renamed, Call.RENAME, "plan.json", Kind.IO_ERROR),
    left(renamed, Call.RENAME, "plan.json", Kind.KILL_BEFORE),
    left(renamed, Call.UNLINK, "plan.json", Kind.KILL_BEFORE),
]))
"""
KILLED, EIO, ENOSPC = -9, 5, 28


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("gcc"), reason="needs Linux and gcc")
def test_half_a_file_under_its_own_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(torture=str(TORTURE), root=str(tmp_path / "root")))
    done = subprocess.run([sys.executable, str(program)], env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        [True, KILLED, ["plan.json"]],
        [True, ENOSPC, ["plan.json"]],
        [True, KILLED, []],  # whole
        [True, ENOSPC, []],
        [True, EIO, []],
        [True, KILLED, []],
        [False, 0, []],  # no such call
    ]
