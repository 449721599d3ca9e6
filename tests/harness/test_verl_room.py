"""What a trial of backend verl takes of a Ray cluster, against clusters of every size."""

from __future__ import annotations

import pytest

from harness.backends.verl import room
from harness.backends.verl.options import VerlSettings
from harness.base.errors import UserError


def machine(cpus: int, gpus: int = 0) -> dict[str, float]:
    return {"CPU": float(cpus), **({"GPU": float(gpus)} if gpus else {})}


def test_what_a_trial_takes() -> None:
    """Eight devices were seen to be waited for without end with 32 CPUs, and placed with 34."""
    assert (room.least_cpus(VerlSettings()), room.wanted_cpus(VerlSettings())) == (27, 34)
    assert room.least_cpus(VerlSettings(gpus_per_node=1)) == 6
    assert room.wanted_cpus(VerlSettings(device="cpu", gpus_per_node=2)) == 9


@pytest.mark.parametrize(("cpus", "stores"), [(27, 1), (28, 2), (32, 6), (34, 8), (192, 8)])
def test_the_queue_is_as_large_as_the_machine_allows(cpus: int, stores: int) -> None:
    room.check(VerlSettings(), [machine(cpus, 8)])
    assert room.stores(VerlSettings(), cpus) == stores


def test_those_that_are_dead_do_not_count() -> None:
    nodes = [{"Alive": True, "Resources": machine(8, 2)}, {"Alive": False, "Resources": machine(8, 8)}]
    assert room.alive(nodes) == [machine(8, 2)]


def test_too_few_gpus_in_a_cluster() -> None:
    wanted = VerlSettings(nodes=2, gpus_per_node=4)
    room.check(wanted, [machine(32, 8), machine(32), machine(32, 4)])
    with pytest.raises(UserError) as caught:
        room.check(wanted, [machine(32, 8), machine(32), machine(32, 2)])
    assert "its 3 machines have 8, 0, 2 GPUs" in str(caught.value)
    assert "ray start --address" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "machines", "said"),
    [
        (
            {},
            [machine(26, 8)],
            "24 on each of these machines, and 3 more, 27 in all; the machines with GPUs enough have 26",
        ),
        ({"nodes": 2}, [machine(64, 8), machine(20, 8)], "have 64, 20, all together 84"),
        ({"nodes": 2}, [machine(25, 8), machine(25, 8)], "51 in all"),
        ({"gpus_per_node": 1}, [machine(4, 8)], "`ray start --num-cpus=13`"),
    ],
)
def test_too_few_cpus_in_a_cluster(settings: dict[str, int], machines: list[dict[str, float]], said: str) -> None:
    with pytest.raises(UserError) as caught:
        room.check(VerlSettings(**settings), machines)
    assert said in str(caught.value) and "--cpus-per-task" in str(caught.value)


def test_cpus_beside_the_devices_may_be_on_other_machines() -> None:
    room.check(VerlSettings(), [machine(24, 8), machine(3)])
    with pytest.raises(UserError, match="27 in all"):
        room.check(VerlSettings(), [machine(24, 8), machine(2)])


def test_what_others_hold_is_waited_for() -> None:
    there = iter([machine(2, 1), machine(2, 1), machine(9, 1)])
    room.await_free(VerlSettings(gpus_per_node=1), lambda: next(there), "grpo/seed0", wait=60, pause=0)
    assert next(there, None) is None


@pytest.mark.parametrize("held", [machine(64, 7), machine(20, 8), {}])
def test_what_others_keep_is_said(held: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"^grpo/seed0: .* free, and the trial takes 8 and 27: others have") as caught:
        room.await_free(VerlSettings(), lambda: held, "grpo/seed0", wait=0)
    assert "`ray status` shows what is held" in str(caught.value)
