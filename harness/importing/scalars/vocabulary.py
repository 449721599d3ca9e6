"""What tools call arm, seed, benchmark, step and score. A new tool is a word here."""

from __future__ import annotations

import re

ROLES = ("arm", "seed", "benchmark", "metric", "step", "score")
SYNONYMS = {
    "arm": (
        "arm", "algorithm", "algo", "method", "approach", "agent", "policy", "variant", "system", "model", "model_name",
        "run", "run_name", "name", "group", "experiment", "experiment_name", "exp_name", "exp", "config",
    ),
    "seed": (
        "seed", "seeds", "random_seed", "rng_seed", "train_seed", "training_seed", "seed_id", "trial", "trial_id",
        "replicate", "replica", "repeat", "rep", "run_id", "run_idx",
    ),
    "benchmark": (
        "benchmark", "benchmark_name", "task", "task_name", "dataset", "dataset_name", "data_source", "eval",
        "eval_name", "env", "environment", "env_id",
    ),
    "metric": ("metric", "metric_name", "tag", "variable", "key"),
    "step": (
        "step", "steps", "_step", "global_step", "train_step", "training_step", "train/global_step",
        "training/global_step", "iteration", "iter", "timestep", "timesteps", "total_timesteps", "num_timesteps",
        "update", "checkpoint", "epoch",
    ),
    "score": (
        "score", "scores", "value", "accuracy", "acc", "result", "mean", "avg", "average", "mean_score", "avg_score",
        "mean_accuracy", "test_accuracy", "eval_score", "pass@1", "pass_at_1", "pass1", "exact_match", "em",
        "success_rate", "win_rate", "reward", "return", "percent", "percentage",
    ),
}  # fmt: skip
"""of each role, the words a column may have, the first of several that are there; compared by `plain`"""
IS_SCORE = re.compile(
    r"(^|[^a-z])(acc(uracy)?|score|reward|return|exact_match|em|f1|correct|success(_rate)?|win_?rate|solved?(_rate)?|"
    r"(pass|mean|avg|average|maj|best|cons)(_at_|_)?@?\d+)([^a-z]|$)"
)
"""a metric that is a score by its name"""
IS_NO_SCORE = re.compile(
    r"(std|stderr|_se|_sd|variance|loss|entropy|kl|lr|learning_rate|grad|norm|length|tokens?|time|second|epoch|clip|ratio"
    r"|memory|throughput|mfu|flops|num_|count|(^|[/_.])(min|max)$|__min|__max)(?![a-z]*acc)|±"
)
"""and one that is not, whatever else is in it"""
IS_SPREAD = re.compile(r"(^|[^a-z])(std(ev|err|_dev|dev)?|stderr|sd|se|sem|ci)\.?$|±")
"""the deviation of scores, or the error of their mean"""
PREFERRED = ("val-core/", "eval/", "eval_", "val/", "test/")
"""where several metrics are scores by their names and one of these is on some of them, the others are of training or
auxiliary"""
NO_PART = re.compile(
    r"(trainer_state|results?|metrics?|progress|history|logs?|scores?|events?|curves?|data|out(puts?)?|files?|val|evals?"
    r"|tensorboard|tb|tfevents|wandb|mlruns|runs?|export|summary|monitor|stats|train|test|\.|\.\.|/"
    r"|(checkpoint|global_step|step|version)[-_]?\d+)([-_]?\d{4}-\d\d-\d\d.*)?",
    re.IGNORECASE,
)
"""a part of a path that names no arm"""
AVERAGES = ("average", "avg", "mean", "overall", "macro_avg", "macro_average")
SUMMARIES = (
    *AVERAGES, "avg.", "std", "std.",
    "stdev", "std_dev", "stddev", "sd", "se", "sem", "stderr", "var", "variance", "median",
    "min", "max", "ci", "total", "all",
)  # fmt: skip
"""what a row is called that is no seed but sums seeds up"""
ANSWERS = (
    "question", "problem", "prompt", "gold", "gold_answer", "ground_truth", "expected_answer", "answer", "response",
    "completion", "generation", "model_output", "prediction", "predicted_answer", "extracted_answer", "problem_id",
    "question_id",
)  # fmt: skip
"""columns of rows that are answers to problems; two of them are sure"""
CORRECT = ("correct", "num_correct", "n_correct", "correct_count", "solved", "num_solved", "passed", "num_passed")
TOTAL = ("total", "n", "num_total", "n_total", "count", "num_samples", "n_samples", "samples", "num_problems", "size")
"""columns of counts: so many of so many"""
GAPS = ("", "na", "n/a", "null", "none", "-", "—", "–")
"""cells that say that nothing is there, without case; `nan` and `inf` are not among them: something was there"""


def plain(name: str) -> str:
    """A column's name without case, spaces and dashes: `Global Step` -> `global_step`."""
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def is_average(name: str) -> bool:
    """Whether a column or a benchmark is called the average of others."""
    return plain(name).rstrip(".") in AVERAGES


def is_spread(name: str) -> bool:
    """Whether a column is called a deviation or an error of a mean."""
    return bool(IS_SPREAD.search(plain(name)))


def is_score(metric: str) -> bool:
    """By its name."""
    name = plain(metric)
    return bool(IS_SCORE.search(name)) and not IS_NO_SCORE.search(name)
