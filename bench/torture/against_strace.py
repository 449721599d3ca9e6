"""Whether shim.c sees all that changes files: runs commands under strace, and names the calls that strace alone saw.

    python bench/torture/against_strace.py [--only run,eval]

A library may call the kernel by itself, past libc. Exit code 1 if such a call is not in `PAST_LIBC`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import points
import runner
import shim
from scenarios import Nursery
from shim import Call, Shim

CALLS = {
    Call.WRITE: ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "fallocate"),
    Call.RENAME: ("rename", "renameat", "renameat2"),
    Call.FSYNC: ("fsync", "fdatasync", "sync_file_range", "msync"),
    Call.UNLINK: ("unlink", "unlinkat"),
    Call.RMDIR: ("rmdir",),
    Call.MKDIR: ("mkdir", "mkdirat"),
    Call.TRUNCATE: ("ftruncate", "truncate"),
    Call.LINK: ("link", "linkat", "symlink", "symlinkat"),
    Call.OPEN: ("open", "openat", "openat2", "creat"),
}
PAST_LIBC = {(Call.RENAME, "model.safetensors"), (Call.RENAME, "batch.safetensors")}
"""safetensors renames what it has written by a call of its own. It does so in a folder that has not got its name yet,
between an fsync or open before and one after it: killed there, it leaves what it leaves when it is killed at those."""
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_FD, _NAME = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>"), re.compile(r'"((?:[^"\\]|\\.)*)"')


def attach(log: Path) -> None:
    """In a fork: go on when strace looks on."""
    names = ",".join(name for group in CALLS.values() for name in group)
    command = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={names}", "-o", str(log), "-p", str(os.getpid())]
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    tracer = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr
    while "attached" not in tracer.stderr.readline():
        time.sleep(0.01)


def seen(log: Path, root: Path) -> Iterator[tuple[Call, str]]:
    """What strace wrote of files below the root. A call that another process interrupted stands on two lines."""
    begun: dict[str, str] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        pid = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[pid] = line.removesuffix("<unfinished ...>")
            continue
        resumed = re.match(r"^\d+ +<\.\.\. \w+ resumed>(.*)", line)
        found = _LINE.match(begun.pop(pid, "") + resumed[1] if resumed else line)
        if found and (one := _call(found[1], found[2], root)):
            yield one


def _call(name: str, words: str, root: Path) -> tuple[Call, str] | None:
    call = next(one for one, names in CALLS.items() if name in names)
    if call is Call.OPEN and not re.search("O_CREAT|O_TRUNC", words):
        return None
    if "AT_REMOVEDIR" in words:
        call = Call.RMDIR
    paths = _NAME.findall(words)
    folder = [part for part in re.findall(r"<([^>]*)>", words) if part.startswith("/")]
    if call in (Call.WRITE, Call.FSYNC) or name == "ftruncate":
        path = folder[0] if folder else ""
    else:
        path = os.path.join(folder[-1] if folder else str(root), paths[-1]) if paths else ""
    inside = path.startswith(f"{root}/")
    return (call, path[len(str(root)) + 1 :]) if inside else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="scenarios, with commas")
    only = [word for word in parser.parse_args().only.split(",") if word]
    os.environ.update(runner.ENVIRONMENT)
    shim.load(sys.argv)
    runner.warm_up()
    unknown = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name).resolve()
        for scenario in Nursery(folder / "start").all():
            if only and scenario.name not in only:
                continue
            steered, log = Shim(scenario.start), folder / "strace"
            steered.aim()
            runner.command(scenario.words, scenario.start, steered, partial(attach, log))
            ours = Counter((p.call, p.file) for p in points.listed(steered.calls()))
            theirs = Counter((p.call, p.file) for p in points.listed(seen(log, scenario.start)))
            print(f"{scenario.title}: shim {ours.total()} calls, strace {theirs.total()}")
            for (call, file), count in sorted((theirs - ours).items()):
                known = (call, file.rpartition("/")[2]) in PAST_LIBC
                unknown += not known
                print(f"  strace alone: {count} x {call.name.lower()} {file}{', as known' if known else ''}")
            for (call, file), count in sorted((ours - theirs).items()):
                print(f"  shim alone: {count} x {call.name.lower()} {file}")
    return int(bool(unknown))


if __name__ == "__main__":
    sys.exit(main())
