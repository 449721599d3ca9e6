"""What a backend calls a trial's own is given to one job at a time, on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

SOURCE = '''
import os
import time
from pathlib import Path

import rence


class Slotted(rence.LocalBackend):
    """Two places on this machine."""

    def slots(self, experiment, room):
        return 2

    def slot_environments(self, experiment):
        return [{"PLACE": "left"}, {"PLACE": "right"}]

    def train(self, trial, *others):
        place = Path(os.environ["PLACE"])
        place.touch(exist_ok=False)  # an error, if another is there
        time.sleep(1)
        place.unlink()
        raise RuntimeError(f"it was on the {place}")
'''


def test_each_job_has_a_place_that_no_other_has(
    rence: Callable[..., subprocess.CompletedProcess[str]], package: Callable[..., Path], tiny: Path, tmp_path: Path
) -> None:
    site = package("slotted", SOURCE, "0.1", backends={"slotted": "slotted:Slotted"})
    tiny.write_text(tiny.read_text().replace("backend: local", "backend: slotted"))
    done = rence("run", str(tiny), before=f"export PYTHONPATH=$PYTHONPATH:{site}")
    assert done.returncode == 1, done.stderr
    last = [
        path.read_text().strip().rpartition("\n")[2] for path in tmp_path.glob("runs/tiny/*/seed*/logs/*/output.log")
    ]
    assert len(last) == 4
    assert {line.rpartition(" ")[2] for line in last} == {"left", "right"}
    assert all("it was on the" in line for line in last), last
