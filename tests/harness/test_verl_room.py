"""What a trial of backend verl takes of a Ray cluster, against clusters of every size."""

from __future__ import annotations

from collections.abc import Callable

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
            "25 on each of these machines, and 27 in all; the machines with GPUs enough have 26",
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
    room.check(VerlSettings(), [machine(25, 8), machine(2)])
    with pytest.raises(UserError, match="27 in all"):
        room.check(VerlSettings(), [machine(25, 8), machine(1)])
    # the GPUs' machine needs one of its own, in which Ray starts the servers that are pinned to it
    with pytest.raises(UserError, match="so 25 on each of these machines, and 27 in all"):
        room.check(VerlSettings(), [machine(24, 8), machine(30)])
    assert room.slots(VerlSettings(gpus_per_trial=4), [machine(24, 8), machine(30)]) == 1


Cluster = list[dict[str, float]]
ONE, EIGHT = VerlSettings(gpus_per_trial=1), VerlSettings()


def looking(machines: Cluster, *free: Cluster) -> Callable[[], tuple[Cluster, Cluster]]:
    """Each time what is free then; the last for ever."""
    there = [*free]
    return lambda: (machines, there.pop(0) if len(there) > 1 else there[0])


def test_a_trial_waits_as_long_as_others_are_at_work_and_says_so_once() -> None:
    said: list[str] = []
    held = [[machine(2, 7)]] * 50 + [[]] * 50 + [[machine(3, 8)], [machine(30, 8)]]
    room.await_free(EIGHT, looking([machine(32, 8)], *held), "grpo/seed0", said.append, pause=0)
    (line,) = said
    assert line.startswith("grpo/seed0 waits for 8 GPUs and 27 CPUs: other trials are at work")


def test_a_trial_that_need_not_wait_says_nothing() -> None:
    said: list[str] = []
    room.await_free(ONE, looking([machine(32, 8)], [machine(6, 1)]), "grpo/seed0", said.append, wait=0, pause=0)
    assert not said


def test_free_gpus_must_be_on_one_machine() -> None:
    wanted = VerlSettings(gpus_per_trial=4)
    assert not room.fits(wanted, [machine(64, 2), machine(64, 2)])
    assert room.fits(wanted, [machine(64, 2), machine(13, 4)])
    two = VerlSettings(nodes=2)
    assert not room.fits(two, [machine(64, 8), machine(64, 7), machine(64, 7)])
    assert room.fits(two, [machine(25, 8), machine(25, 8), machine(3)])
    assert not room.fits(two, [machine(24, 8), machine(25, 8), machine(3)])


def test_what_becomes_impossible_on_the_way_is_said_at_once() -> None:
    lost = iter([([machine(32, 8)], [machine(9, 1)]), ([machine(32, 4)], [machine(9, 1)])])
    with pytest.raises(UserError, match="are more than the Ray cluster has: its 1 machines have 4 GPUs"):
        room.await_free(EIGHT, lambda: next(lost), "grpo/seed0", lambda _: None, wait=0, pause=0)


def test_cpus_that_others_keep_while_no_gpu_is_held_are_said() -> None:
    look = looking([machine(32, 8)], [machine(20, 8)])
    with pytest.raises(
        UserError, match=r"^grpo/seed0: .* 20 CPUs free, and the trial takes 27: .*, and no GPU"
    ) as caught:
        room.await_free(EIGHT, look, "grpo/seed0", lambda _: None, wait=0)
    assert "`ray status` shows what is held" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "machines", "slots"),
    [
        ({}, [machine(32, 8)], 1),
        ({}, [machine(32, 8)] * 8, 8),
        ({"gpus_per_trial": 2}, [machine(64, 8)], 4),
        ({"gpus_per_trial": 2}, [machine(64, 8), machine(64, 2), machine(64)], 5),
        ({"gpus_per_trial": 8, "nodes": 2}, [machine(64, 8)] * 5, 2),
        # seven CPUs a trial of one device: three for the device, three for queue and tasks, one for its job
        ({"gpus_per_trial": 1}, [machine(32, 8)], 4),
        ({"gpus_per_trial": 1}, [machine(56, 8)], 8),
        ({"gpus_per_trial": 4}, [machine(15, 8), machine(15, 8), machine(64)], 2),
    ],
)
def test_slots_are_counted_on_the_machines(settings: dict[str, int], machines: Cluster, slots: int) -> None:
    assert room.slots(VerlSettings(**settings), machines) == slots


@pytest.mark.parametrize(("machines", "stores"), [([machine(56, 8)], 1), ([machine(64, 8)], 2), ([machine(256, 8)], 8)])
def test_a_trials_queue_leaves_other_slots_their_cpus(machines: Cluster, stores: int) -> None:
    assert room.stores(ONE, room.share(ONE, machines, machines)) == stores
    each = room.least_cpus(ONE) - 1 + stores + room.JOB
    assert 8 * each <= machines[0]["CPU"]


def test_the_queue_of_a_trial_that_has_all_takes_what_is_free() -> None:
    assert room.share(EIGHT, [machine(34, 8)], [machine(33, 8)]) == 33


def test_slots_that_leave_gpus_idle_are_refused() -> None:
    wanted = VerlSettings(gpus_per_trial=4)
    room.check(wanted, [machine(64, 8), machine(64, 4), machine(64, 2)])
    with pytest.raises(UserError, match=r"`verl\.gpus_per_trial` 4 does not divide the 6 GPUs of a machine") as caught:
        room.check(wanted, [machine(64, 8), machine(64, 6)])
    assert "a divisor (1, 2, 3, 6)" in str(caught.value)
    with pytest.raises(
        UserError, match=r"`verl\.nodes` 1 x `verl\.gpus_per_trial` 4 are more than the Ray cluster has"
    ):
        room.check(wanted, [machine(64, 2)])


def test_one_trial_over_machines_of_different_gpus_is_refused() -> None:
    mixed = [{**machine(64, 8), f"accelerator_type:{kind}": 1.0} for kind in ("H100", "A100")]
    assert room.gpu_types(mixed) == ["A100", "H100"]
    room.check(VerlSettings(), mixed)
    with pytest.raises(UserError, match=r"would mix GPUs: the Ray cluster has A100, H100\."):
        room.check(VerlSettings(nodes=2), mixed)
