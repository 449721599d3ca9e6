"""Trains with verl. Importing this imports none of verl, Ray and torch; the trial itself is in `session.py`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from harness.backends.base import Backend, BackendCosts, Evaluate, Mistake, Observer, Throughput, TrainingResult
from harness.backends.predicted import Prediction, Workload
from harness.backends.verl import limits, prediction, room, survey
from harness.backends.verl.node_needs import needs_of
from harness.backends.verl.options import VerlSettings, copies_of_sampler, settings_of
from harness.backends.verl.settings import VERSION, as_yaml, engine_options, translate, validate
from harness.base.devices import SEEN, gpu_names
from harness.base.errors import UserError
from harness.base.findings import Finding
from harness.config.experiment import Experiment, Trial
from harness.engines.base import Engine
from harness.engines.registry import open_engine
from harness.engines.replicas import Replicas
from harness.models import resolving
from harness.prompts.stream import PromptStream
from harness.records import RunFolder, TrialFolder

_THROUGHPUT = Throughput("GPU", 30e12, 125e12, "an A100: 40 % of its bf16 peak in training, 10 % in sampling; a guess")


class VerlBackend(Backend):
    """verl 0.9.1's synchronous trainer, FSDP2 engine and vLLM rollout servers, on Ray."""

    settings = VerlSettings
    engines = ("vllm",)
    trains_adapters = True
    contract_settings = MappingProxyType({"device": "cpu", "gpus_per_node": 1, "max_prompt_tokens": 64})

    def mistakes(self, experiment: Experiment) -> Iterable[Mistake]:
        return limits.mistakes(experiment)

    def check_machine(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]] | None = None) -> None:
        """Of a cluster its GPUs and CPUs alone: packages, memory and disks are those of its nodes, which trials look
        at."""
        settings = settings_of(experiment)
        if nodes is not None:
            room.check(settings, nodes)
            return
        limits.check_machine(settings)
        if "RAY_ADDRESS" not in os.environ:
            needs = needs_of(experiment, experiment.arms, resolving.find(experiment.model), alone=True)
            survey.check_here(settings, needs, experiment.name, lambda warning: None)  # trials warn

    def lacks(self, experiment: Experiment) -> str:
        try:
            limits.check_machine(settings_of(experiment))
        except UserError as error:
            return str(error).partition("\n")[0]
        return ""

    def slots(self, experiment: Experiment, room: int) -> int:
        """As many trials as this machine has devices for, and one where that is not known or more than one machine's.
        On cpu devices are processes, and there are as many as the experiment says a machine has."""
        settings = settings_of(experiment)
        there = settings.gpus_per_node if settings.device == "cpu" else limits.gpus() or 0
        if "RAY_ADDRESS" in os.environ or settings.nodes > 1:
            there = 0  # of the cluster, of which this process knows nothing
        return max(1, min(room, there // settings.devices))

    def slots_of_cluster(self, experiment: Experiment, nodes: Sequence[Mapping[str, float]]) -> int:
        return room.slots(settings_of(experiment), nodes)

    def check_workers(
        self, experiment: Experiment, workers: int, nodes: Sequence[Mapping[str, float]] | None = None
    ) -> None:
        """Each trial has its devices to itself. On a cluster that only RAY_ADDRESS names, trials wait for them."""
        if nodes is None and "RAY_ADDRESS" in os.environ:
            return
        there = self.slots(experiment, workers) if nodes is None else self.slots_of_cluster(experiment, nodes)
        if workers > there:
            settings = settings_of(experiment)
            whole = f"{settings.nodes} x " if settings.nodes > 1 else ""
            raise UserError(
                f"`--workers {workers}`: there is room for {there} at a time, for each trial has {whole}"
                f"{settings.gpus_on_node} devices{', with their CPUs,' if nodes is not None else ''} to itself.\n"
                "Leave `--workers` out, and as many run as there is room for; `verl.gpus_per_trial` makes slots "
                "smaller."
            )

    def slot_environments(self, experiment: Experiment) -> Sequence[Mapping[str, str]]:
        """The GPUs of each slot of this machine, where it is known which there are."""
        settings = settings_of(experiment)
        names, each = gpu_names() or [], settings.gpus_on_node
        if settings.device == "cpu" or settings.nodes > 1 or "RAY_ADDRESS" in os.environ:
            return ()
        ends = range(each, len(names) + 1, each)
        return [{SEEN: ",".join(names[end - each : end])} for end in ends]

    def gpus_of_start(self, experiment: Experiment) -> int:
        settings = settings_of(experiment)
        on_vllm = experiment.evaluation.engine in (None, "vllm")
        return settings.gpus_on_node if settings.device == "gpu" and on_vllm else 0

    def costs(self, experiment: Experiment) -> BackendCosts:
        """Workers on a CPU are there for tests, at no stated speed. The learner computes log-probs of its own for what
        the sampler wrote: one more pass. As many trials as a machine has slots, as far as the experiment says, have a
        state at a time: the model, weights and moments in fp32, perhaps a reference, and the weights of a sampler that
        lags, and twice while it is written."""
        chosen = settings_of(experiment)
        throughput = None if chosen.device == "cpu" else _THROUGHPUT
        wide = 2 if chosen.precision == "bf16" else 4
        states = max(1, chosen.gpus_per_node // chosen.devices)
        copies = 1 if all(arm.recipe.lora for arm in experiment.arms) else 5
        copies += any(arm.recipe.generator_sync_steps > 1 for arm in experiment.arms)
        return BackendCosts(
            throughput, chosen.devices, extra_passes=1, state_copies=2 * copies, weight_bytes=wide, states=states
        )

    def predict(self, experiment: Experiment, work: Workload) -> Prediction:
        return prediction.predict(experiment, work)

    def configs(self, experiment: Experiment, run: RunFolder) -> Mapping[str, str]:
        """verl's complete config for each arm's first seed, checked by verl.

        Raises: UserError if verl is not here, or refuses.
        """
        limits.check_verl()
        made = {}
        for arm in experiment.arms:
            trial = Trial(experiment, arm, experiment.seeds[0])
            model = resolving.find(experiment.model) or experiment.model
            config = translate(trial, model, run.trial(arm.name, trial.seed).root / "verl")
            validate(config)
            head = f"# verl {VERSION}: {trial.name} of {experiment.name}, written by `rence run --dry-run`\n"
            made[arm.name] = head + as_yaml(config)
        return made

    def try_cluster(self, experiment: Experiment | None, seconds: float) -> Iterable[Finding]:
        from harness.backends.verl import cluster_checks

        return cluster_checks.tried(experiment, seconds)

    def try_gpu(self, experiment: Experiment, seconds: float) -> Iterable[Finding]:
        from harness.backends.verl.worst_microbatch import try_worst, worst

        model = resolving.find(experiment.model) or Path(experiment.model)
        return try_worst(worst(experiment), model, seconds)

    def start_engine(self, experiment: Experiment, model: Path) -> Engine:
        """vLLM as the samplers run it, on as many copies of the model as a slot of this machine holds."""
        options = engine_options(experiment)
        copies = copies_of_sampler(settings_of(experiment), os.environ.get(SEEN, ""))
        if len(copies) == 1:
            return open_engine("vllm", model, **options)
        return Replicas("vllm", model, copies, SEEN, **options)

    def train(
        self,
        trial: Trial,
        model: Path,
        prompts: PromptStream,
        folder: TrialFolder,
        evaluate: Evaluate,
        observer: Observer,
    ) -> TrainingResult:
        """See `Backend`.

        Raises: UserError if what is here cannot train it, or if a process of it died or fell silent.
        """
        from harness.backends.verl import session

        return session.train(trial, model, prompts, folder, evaluate, observer)
