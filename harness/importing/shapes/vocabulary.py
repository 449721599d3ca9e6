"""What people call things: for every role of a value the names that keys have, the surest first.

A family's own paths come before these. A name alone decides nothing: `resolve` looks at the values too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from harness.importing.shapes.paths import ASSISTANT, MAP, USER, Path

_WORDS: dict[str, str] = {
    "arm": (
        "arm model_name model model_id algorithm algo method policy agent system model_path checkpoint_name run_name "
        "experiment variant generator llm model_nickname condition run treatment"
    ),
    "seed": "seed train_seed training_seed run_seed random_seed",
    "step": "step global_step training_step train_step checkpoint_step global_steps iteration",
    "benchmark": (
        "benchmark benchmark_name task task_name dataset dataset_name data_source data_name eval_name bench suite "
        "test_set eval_set eval_dataset subset_name subset"
    ),
    "problem_id": (
        "problem_id question_id task_id unique_id instance_id item_id example_id prompt_id qid pid problem_idx "
        "question_idx problem_index question_index group_id custom_id doc_id uid id idx index problem_number name key "
        "number item example example_abbr session_id uuid doc_hash problem_hash"
    ),
    "question": (
        "question problem prob question_text problem_text prompt_text raw_prompt prompt_raw prompt input query "
        "instruction user_prompt problem_statement task_prompt full_prompt source_text questions problems item"
    ),
    "gold": (
        "gold gold_answer ground_truth gt gts expected_answer expected reference_answer reference target "
        "correct_answer true_answer answer_key groundtruth gold_label ref_answer references answer_gold ideal "
        "golden_answer label ground_truth_answer reference_solution targets ref final_answer_gold solution_answer "
        "truth answer ans"
    ),
    "response": (
        "response completion generation output model_output model_response generated_text raw_output full_response "
        "output_text response_text message_content raw_response model_generation gen generated generated_answer "
        "full_output generated_response generated_solution llm_output llm_response completion_text candidate "
        "rollout sample solution cot "
        "code text resps responses prediction reply model_completion content"
    ),
    "answer": (
        "predicted_answer extracted_answer pred model_answer parsed_answer extracted_prediction extracted pred_answer "
        "final_answer prediction predicted parsed filtered_resps answer extracted_pred answer_extracted "
        "parsed_prediction"
    ),
    "correct": (
        "correct is_correct correctness acc exact_match is_right passed success solved accuracy_reward pass1 em match "
        "accuracy grade graded judgement judgment verdict is_correct_answer correct_flag right hit score reward "
        "result value outcome accuracy_score answer_correct label_correct score_value metric is_solved is_passed "
        "is_match pass rewards scores eval_result ok"
    ),
    "mark": "mark",
    "wrong": "wrong is_wrong incorrect is_incorrect error is_error errors failed is_failed failure mistake mistakes",
    "sample": (
        "sample sample_idx idx_answer answer_idx sample_index sample_number sample_num epoch rollout_idx "
        "rollout_index rollout_id trial "
        "attempt attempt_idx attempt_index attempt_id gen_idx generation_idx generation_index generation_id "
        "completion_idx completion_index completion_id response_idx response_index response_id repeat repetition "
        "replicate sample_id run_idx run_index repeat_idx trial_idx trial_id try pass_idx draw k_idx rollout run_id "
        "run run_number run_no rep replica replica_idx round"
    ),
    "tokens": (
        "tokens num_generated_tokens num_tokens completion_tokens output_tokens response_length response_tokens "
        "n_tokens num_output_tokens gen_length gen_len generated_tokens output_length response_len completion_length "
        "token_count num_completion_tokens len_tokens"
    ),
    "finish_reason": "finish_reason stop_reason finish finished_reason",
    "num_correct": (
        "num_correct n_correct correct_count correct_num n_pass num_passed passes num_pass pass_count c n_right "
        "right_count successes num_success num_solved correct_samples n_success total_correct"
    ),
    "num_samples": (
        "num_samples n_samples n total num_total sample_count n_total num_attempts attempts num_trials trials samples "
        "num_generations n_sample count k num_rollouts n_rollouts total_samples num_responses"
    ),
    "pass_rate": (
        "pass_rate mean_correct solve_rate success_rate accuracy acc avg_correct mean_acc avg_acc mean_score "
        "avg_score avg mean score correct_rate win_rate passrate"
    ),
    "filter": "filter scorer metric grader judge",
    "time": "created timestamp date start_time eval_time created_at time completed_at started_at",
}
NAMES: dict[str, tuple[str, ...]] = {role: tuple(words.split()) for role, words in _WORDS.items()}
IDENTITY = ("problem_id", "question", "gold")
RESULT = ("correct", "mark", "response", "num_correct", "pass_rate")
AGGREGATES = (
    "accuracy",
    "acc",
    "score",
    "mean_score",
    "pass_rate",
    "exact_match",
    "avg_acc",
    "mean_acc",
    "mean",
    "overall",
)
"""keys of a file's own result for all of its rows"""
_VAGUE = ("value", "content", "text", "id", "idx", "index", "name", "number", "result", "label", "key", "score")
"""words that mean something with the word before them"""
_BENCHMARKS = (
    "gsm8k math aime amc minerva olympiad olymmath hmmt gpqa mmlu humaneval mbpp arc hellaswag winogrande "
    "truthfulqa bbh ifeval livecodebench brumo cmimc svamp asdiv mawps gaokao cmath drop boolq piqa omni "
    "deepscaler beyondaime apex hle"
)
"""beginnings of names that are benchmarks' wherever they stand"""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_NESTED = re.compile(r"[./]")


@cache
def word(key: str) -> str:
    """A key in lower case with underscores: `isCorrect` -> `is_correct`."""
    return _OTHER.sub("_", _CAMEL.sub("_", key).lower()).strip("_").removesuffix("_list")


def rank(role: str, path: Path) -> float | None:
    """How well a place's name fits a role, 0 at best; None if it does not."""
    names = NAMES[role]
    if USER in path or ASSISTANT in path:
        if role not in ("question", "response") or (USER in path) != (role == "question"):
            return None
        return 5.0 + len(path) * 0.1
    # A column of a table may hold the path of a nested value: `inputs.question`.
    steps = [part for step in path if step[:1] not in ("[", "{") for part in _NESTED.split(step)]
    keys = [made for step in steps if (made := word(step))]
    if not keys:
        return None
    last, deep = keys[-1], 0.1 * len(keys)
    joined = "_".join(keys[-2:]) if len(keys) > 1 else ""
    if joined in names:
        return names.index(joined) + deep
    if last in _VAGUE and len(keys) > 1:
        return _vague(role, keys, names, deep)
    if last in names:
        return names.index(last) + deep
    if last.endswith("s") and last[:-1] in names and last not in ("is", "pass"):
        return names.index(last[:-1]) + deep + 0.5
    if role == "correct" and (
        last.endswith(("_correct", "_acc", "_passed", "_correctness"))
        or last.startswith(("is_correct", "correct_", "correctness_", "score_"))
    ):
        return len(names) + deep
    return None


def _vague(role: str, keys: list[str], names: tuple[str, ...], deep: float) -> float | None:
    """Of `x.value` the word before counts."""
    last, before = keys[-1], keys[-2]
    if role == "correct" and last in ("value", "result", "score", "label"):
        near = [one for one in keys[:-1] if one in names or one.rstrip("s") in names]
        return len(names) + deep if near or last in ("result", "score") else None
    if role == "problem_id" and last in ("id", "idx", "index", "name", "number", "key"):
        return names.index("id") + deep if before in ("problem", "question", "item", "doc", "example", "task") else None
    if role == "response" and last in ("content", "text", "value"):
        near = before in names or before.rstrip("s") in names or before in ("message", "choice", "choices")
        return len(names) + deep if near else None
    if role in ("question", "gold", "answer") and last in ("content", "text", "value"):
        near = before in names or before.rstrip("s") in names
        return len(names) + deep if near else None
    if role == "arm" and last in ("name", "id"):
        return 2 + deep if before in ("model", "arm", "policy", "agent", "system", "provider") else None
    if role == "benchmark" and last in ("name", "id"):
        return 2 + deep if before in ("dataset", "task", "benchmark") else None
    return names.index(last) + deep + 3 if last in names and role in ("problem_id", "correct") else None


def is_known(key: str) -> bool:
    """Whether a key is a name of something, and so no data."""
    return key != MAP and any(word(key) in names or word(key).rstrip("s") in names for names in NAMES.values())


def name_benchmarks(labels: Iterable[str]) -> bool:
    """Whether all are names that benchmarks have wherever they stand."""
    return all(re.sub(r"[-_ ]", "", label.lower()).startswith(tuple(_BENCHMARKS.split())) for label in labels)
