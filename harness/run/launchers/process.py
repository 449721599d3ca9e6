"""What a job's process is like, wherever it runs: its environment, its log, and what a signal does to it."""

from __future__ import annotations

import os
import site
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from harness.base.errors import FAILED, UserError, of_system
from harness.base.interrupts import LEAVING, end_at_any
from harness.run.jobs import Job

ENVIRONMENT = {
    # one thread each: trials run side by side, and results are promised for one thread
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONSAFEPATH": "1",  # a folder `benchmarks/` where `rence` is called must not be imported in the place of ours
}
_LOG = "output.log"
_LOOK_SECONDS = 1.0
"""between two looks at what the driver asks"""
_HOME = Path(__file__).resolve().parents[3]
"""where our packages lie"""


def environment() -> dict[str, str]:
    """`ENVIRONMENT`, and a PYTHONPATH on which a job imports the packages that this process has imported."""
    path = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    # Not where packages are installed: that is on every path already, and must come after the standard library.
    if str(_HOME) not in (*path, *site.getsitepackages(), site.getusersitepackages()):
        path.insert(0, str(_HOME))
    return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path)}


def log_of(job: Job, attempt: int) -> Path:
    """Everything that an attempt prints."""
    return job.folder / "logs" / f"attempt_{attempt}" / _LOG


def request_of(job: Job, attempt: int) -> Path:
    """What the driver asks of an attempt that is under way is written there. The job makes it, empty, for storage
    that shows another node's new files late shows what is written into one that is open at once."""
    return log_of(job, attempt).with_name("request")


def work(job: Job, attempt: int) -> int:
    """Do the job in this process, which was started for it with `ENVIRONMENT`; the exit code.

    The folder of the log is there. SIGTERM is Ctrl-C: what is done is saved. SIGUSR1, which the driver sends by a file,
    lets a step end first.
    """
    end_at_any()
    try:
        with log_of(job, attempt).open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    except OSError as error:  # as in `trial.main`, which has not begun
        mended = of_system(error) or UserError(str(error), FAILED)
        print(mended, file=sys.stderr)
        return mended.exit_code
    for stream in (sys.stdout, sys.stderr):  # whatever letters the terminal has: a log is UTF-8
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]

    from harness.base import lean_transformers  # noqa: F401  which must come before any other import of transformers
    from harness.run import trial

    request = request_of(job, attempt)
    with suppress(OSError):  # a full disk ends the trial where it writes results
        request.touch()
    threading.Thread(target=_heed, args=(request,), name="request", daemon=True).start()
    try:
        return trial.main(job, attempt)
    finally:
        with suppress(OSError):  # what is left of it is an empty file beside a log
            request.unlink()


def _heed(request: Path) -> None:
    """Pass the driver's request on to the main thread, as the signal that it stands for."""
    while True:
        with suppress(OSError):
            if request.read_bytes():
                os.kill(os.getpid(), LEAVING)
                return
        time.sleep(_LOOK_SECONDS)
