"""`rence doctor --cluster` where there is no verl, and what its rows mean for the exit code. The rest of it is in
tests/verl."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.backends import on_nodes
from harness.backends.registry import get_backend
from harness.base import packages
from harness.base.errors import FAILED, INCOMPLETE, OK, USAGE, UserError
from harness.base.findings import Finding, FindingState
from harness.doctor.findings import ClusterCheckup

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_what_rows_mean_for_the_exit_code() -> None:
    def code(*states: FindingState) -> int:
        return ClusterCheckup(tuple(Finding("part", state, "x") for state in states)).exit_code

    assert code() == code(FindingState.OK, FindingState.NOTE) == OK
    assert code(FindingState.OK, FindingState.NOT_CHECKED) == INCOMPLETE
    assert code(FindingState.NOT_CHECKED, FindingState.LACKS) == FAILED


def test_an_experiment_needs_the_cluster(rence: Call, on_verl: Path) -> None:
    done = rence("doctor", str(on_verl))
    assert done.returncode == USAGE and f"`rence doctor --cluster {on_verl}`" in " ".join(done.stderr.split())


def test_a_cluster_that_does_not_answer_is_said_soon() -> None:
    """Ray itself waits for it without end."""
    begun = time.monotonic()
    for address in ("127.0.0.1:9", "http://127.0.0.1:9"):
        with pytest.raises(
            UserError, match=f"no Ray cluster answers at RAY_ADDRESS={address}: .*\\n.*ray start --head"
        ):
            on_nodes.check_address(address, seconds=0)
    assert time.monotonic() - begun < 20
    on_nodes.check_address("auto"), on_nodes.check_address("")


def test_nodes_are_counted_for_trials_of_backend_local(rence: Call, tiny: Path) -> None:
    pytest.importorskip("ray")
    done = rence("doctor", "--cluster", str(tiny), "--json")
    rows = {row["part"]: row for row in json.loads(done.stdout)["findings"]}
    assert rows.keys() == {"cluster", "node", "backend local"} and done.returncode == OK, done
    assert rows["cluster"]["found"].startswith("1 node, ") and "one of our own" in rows["cluster"]["found"]
    assert " CPUs, 0 GPUs, " in rows["node"]["found"]
    assert rows["backend local"]["found"] == "a trial of tiny has room"


def test_where_verl_is_not_installed_nothing_of_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "installed", dict)
    (row,) = get_backend("verl").try_cluster(None, 1.0)
    assert row.state is FindingState.NOT_CHECKED and row.found == "verl is not installed here"
    assert "[verl]" in row.mend
