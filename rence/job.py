"""A Ray job's process on its node: `python -m rence.job FOLDER RUN JOB ATTEMPT` (`harness/run/launchers/worker.py`)."""

from __future__ import annotations

import sys

from rence.shadows import refuse_shadows


def main(folder: str, run: str, name: str, attempt: str) -> int:
    """The exit code of the job; what goes wrong before it has its log is printed, and Ray keeps it."""
    try:
        refuse_shadows()  # a node may have a PYTHONPATH of its own
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    from harness.base.errors import UserError
    from harness.run.launchers import worker

    try:
        return worker.main(folder, run, name, int(attempt))
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
