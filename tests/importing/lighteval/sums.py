"""Two tasks of lighteval over problems in a folder beside: one answer a problem, and four."""

from lighteval.metrics.metrics import Metrics
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc


def ask(line, task_name=None):
    return Doc(task_name=task_name, query=line["problem"], choices=[line["answer"]], gold_index=0)


def task(name, metrics):
    return LightevalTaskConfig(
        name=name,
        prompt_function=ask,
        hf_repo="problems",
        hf_subset="default",
        hf_avail_splits=["test"],
        evaluation_splits=["test"],
        few_shots_split=None,
        few_shots_select=None,
        generation_size=64,
        metrics=metrics,
        version=1,
    )


TASKS_TABLE = [
    task("sums", [Metrics.exact_match, Metrics.pass_at_k_math(sample_params={"k": 1})]),
    task("sums_avg", [Metrics.avg_at_n_math(sample_params={"n": 4})]),
]
