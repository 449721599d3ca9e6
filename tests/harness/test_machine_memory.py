"""What a container or a job may have of a machine's memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.base.machine_memory import memory

GB = 10**9


def test_this_machine_has_some() -> None:
    free, total = memory()
    assert 1e8 < free <= total <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_where_nothing_can_be_read_it_is_the_machines(tmp_path: Path) -> None:
    assert len(set(memory(tmp_path, tmp_path))) == 1


def test_a_containers_limit_is_its_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  100000000 kB\nMemFree: 1 kB\nMemAvailable:  90000000 kB\n")
    assert memory(tmp_path, tmp_path) == (90 * 1024 * 10**6, 100 * 1024 * 10**6)
    (tmp_path / "memory.max").write_text(f"{32 * GB}\n")
    (tmp_path / "memory.current").write_text(f"{20 * GB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {8 * GB}\n")
    assert memory(tmp_path, tmp_path) == (20 * GB, 32 * GB)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory(tmp_path, tmp_path)[1] == 100 * 1024 * 10**6


@pytest.mark.parametrize(
    ("line", "job", "names"),
    [
        ("0::/slurm/job_1/step_0", "slurm/job_1", ("memory.max", "memory.current")),
        (
            "5:cpu,cpuacct:/x\n4:memory:/slurm/job_1/step_0",
            "memory/slurm/job_1",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ),
    ],
)
def test_a_jobs_limit_is_its_memory(tmp_path: Path, line: str, job: str, names: tuple[str, str]) -> None:
    """SLURM limits a job by a control group above that of its steps, and no container is there."""
    (tmp_path / "meminfo").write_text("MemTotal:  100000000 kB\nMemAvailable:  90000000 kB\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text(f"{line}\n")
    (tmp_path / job).mkdir(parents=True)
    for name, size in zip(names, (64, 4), strict=True):
        (tmp_path / job / name).write_text(f"{size * GB}\n")
    assert memory(tmp_path, tmp_path) == (60 * GB, 64 * GB)
