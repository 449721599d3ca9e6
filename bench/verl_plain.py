"""verl's own trainer on CPUs, with an experiment's prompts, model and settings: the plain side of `verl_overhead.py`.

    python -m bench.verl_plain EXPERIMENT [--poll 0.1]

Writes `prompts.parquet` beside the experiment, and verl's log where VERL_FILE_LOGGER_PATH says.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

POLL = "RENCE_BENCH_POLL"
"""environment variable: what `replay_buffer` reads in verl's process"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--poll", type=float, default=2.0, help="seconds between looks at the replay buffer")
    asked = parser.parse_args()
    os.environ[POLL] = str(asked.poll)
    run_plain(asked.experiment.resolve())


def run_plain(path: Path) -> None:
    """verl's `main_ppo`, but for Hydra, which would read the configuration from its command line."""
    from omegaconf import OmegaConf
    from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    from harness import config as experiments
    from harness.backends.verl.options import settings_of
    from harness.backends.verl.settings import ray_arguments, translate
    from harness.config.experiment import Trial

    loaded = experiments.load(path, ())
    trial = Trial(loaded, loaded.arms[0], loaded.seeds[0])
    config = translate(trial, loaded.model, path.parent)
    write_prompts(trial, path.parent / "prompts.parquet")
    ray = ray_arguments(settings_of(loaded), joining=False)
    for key, value in {**plain_keys(trial, path.parent), "ray_kwargs.ray_init": ray}.items():
        OmegaConf.update(config, key, value, merge=True, force_add=True)
    validate_config(config, need_reference_policy(config), need_critic(config))
    run_ppo(config, task_runner_class=TaskRunnerV1)


def plain_keys(trial: Any, work: Path) -> dict[str, Any]:
    """verl's own in the place of ours: prompts from a file, agent loop, reward, and the objective, as near to ours as
    verl has it."""
    recipe, grpo, actor = trial.arm.recipe, trial.arm.algorithm, "actor_rollout_ref.actor"
    return {
        "data.train_files": str(work / "prompts.parquet"),
        "data.val_files": str(work / "prompts.parquet"),
        "actor_rollout_ref.rollout.agent.default_agent_loop": "single_turn_agent",
        "actor_rollout_ref.rollout.agent.agent_loop_config_path": None,
        "reward.reward_manager.source": "register",
        "reward.reward_manager.name": "naive",
        "reward.reward_manager.module.path": None,
        f"{actor}.ppo_epochs": recipe.epochs,
        f"{actor}.loss_agg_mode": "seq-mean-token-mean",
        f"{actor}.kl_loss_coef": grpo.kl_coef,
        f"{actor}.kl_loss_type": "low_var_kl",
        "trainer.logger": ["file"],
        "trainer.v1.sampler.custom_sampler.path": "pkg://bench.verl_plain",
        "trainer.v1.sampler.custom_sampler.name": "replay_buffer",
    }


def replay_buffer(**options: Any) -> Any:
    """verl's own, which looks at its queue as often as `--poll` says."""
    from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

    return ReplayBuffer(**options, poll_interval=float(os.environ[POLL]))


def write_prompts(trial: Any, path: Path) -> None:
    """The trial's prompts in its order, with golds that verl's marker of MATH compares boxed answers with."""
    import pandas as pd

    from harness.backends.verl.keys import most_steps
    from harness.base.registry import training_set
    from harness.prompts.stream import PromptStream
    from harness.prompts.templates import template

    count = most_steps(trial) * trial.arm.recipe.prompts_per_step
    prompts = PromptStream(training_set(trial.experiment.train).problems, trial.seed).take(0, count)
    asked = template(trial.experiment.template)
    rows = [
        {
            "data_source": "lighteval/MATH",
            "prompt": asked.messages(prompt.problem),
            "reward_model": {"style": "rule", "ground_truth": prompt.problem.gold},
            "extra_info": {"index": i},
        }
        for i, prompt in enumerate(prompts)
    ]
    pd.DataFrame(rows).to_parquet(path)


if __name__ == "__main__":
    main()
