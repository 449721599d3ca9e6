"""Files that trainers, and sets of generations, leave behind."""

from __future__ import annotations

from pathlib import Path

from .truth import ARMS, K, cells, chat, groups, put, put_csv, put_json, put_lines, put_parquet, shape, share


@shape(k=K)
def open_r1(to: Path) -> None:
    """open-r1's sets on the hub: generations with lists of marks, a second judge's that is null."""
    for arm in ARMS:
        rows = [
            {
                "problem": g[0].question,
                "solution": "add",
                "answer": g[0].gold,
                "problem_type": "Algebra",
                "source": "made",
            }
            | {"uuid": f"{g[0].i:08x}-0000", "is_reasoning_complete": [True] * K, "generations": [c.text for c in g]}
            | {
                "correctness_math_verify": [c.right for c in g],
                "correctness_llama": None,
                "finish_reasons": ["stop"] * K,
            }
            | {"correctness_count": sum(c.right for c in g), "messages": chat(g[0].question, g[0].text)}
            for g in groups(arm)
        ]
        put_parquet(to / f"{arm}/data/train-00000-of-00001.parquet", rows)


@shape(k=K)
def verifiers(to: Path) -> None:
    """PrimeIntellect-ai/verifiers and prime-rl: outputs/evals/<env>--<model>/<run>/results.jsonl and metadata.json."""
    for arm in ARMS:
        folder = to / f"outputs/evals/sums--{arm}/1a2b3c4d"
        rows = [
            {
                "example_id": c.i,
                "prompt": chat(c.question),
                "completion": [chat(c.question, c.text)[1]],
                "answer": c.gold,
            }
            | {
                "task": "default",
                "reward": float(c.right),
                "error": None,
                "timing": {"total": 1.0},
                "is_completed": True,
            }
            | {"is_truncated": False, "stop_condition": "done", "metrics": {"correct_answer": float(c.right)}}
            | {"correct_answer": float(c.right), "num_turns": 1.0}
            | {"token_usage": {"input_tokens": 9.0, "output_tokens": 12.0}}
            for c in cells(arm)
        ]
        put_lines(folder / "results.jsonl", rows)
        put_json(
            folder / "metadata.json",
            {
                "env_id": "sums",
                "model": arm,
                "num_examples": 12,
                "rollouts_per_example": K,
                "avg_reward": share(arm, K),
            },
        )


@shape(k=K)
def open_rlhf(to: Path) -> None:
    """OpenRLHF's batch inference with a reward: input, output, reward; each prompt repeated in place."""
    for arm in ARMS:
        put_lines(
            to / f"{arm}.jsonl",
            [
                {"input": f"User: {c.question}\nAssistant: ", "output": c.text, "reward": float(c.right)}
                for c in cells(arm)
            ],
        )


@shape(k=K)
def oat(to: Path) -> None:
    """sail-sg/understand-r1-zero: one JSON, benchmarks as keys, a row for each prompt, lists in it."""
    for arm in ARMS:
        rows = [
            {
                "prompt": g[0].question,
                "outputs": [c.text for c in g],
                "gold": g[0].gold,
                "scores": [float(c.right) for c in g],
            }
            for g in groups(arm)
        ]
        put_json(to / f"model_eval_out_{arm}.json", {"sums": rows})


@shape(k=K)
def verl_generations(to: Path) -> None:
    """verl's main_generation and rllm: the training Parquet with a column of responses, not marked."""
    for arm in ARMS:
        rows = [
            {"data_source": "sums", "prompt": chat(g[0].question), "ability": "math"}
            | {
                "reward_model": {"style": "rule", "ground_truth": g[0].gold},
                "extra_info": {"index": g[0].i, "split": "test"},
            }
            | {"responses": [c.text for c in g]}
            for g in groups(arm)
        ]
        put_parquet(to / f"{arm}/sums-output-4.parquet", rows)


@shape(k=K)
def verl_sources(to: Path) -> None:
    """verl's rollout dumps with a reward function that returns more: a step a file, `acc` the mark."""
    for arm in ARMS:
        rows = [
            {
                "input": f"user\n{c.question}\nassistant\n",
                "output": c.text,
                "gts": c.gold,
                "score": 1.0 if c.right else -1.0,
            }
            | {"step": 40, "acc": c.right, "pred": c.answer, "data_source": "sums"}
            for c in cells(arm)
        ]
        put_lines(to / f"{arm}-seed1/val/40.jsonl", rows)


@shape(k=K)
def trl_completions(to: Path) -> None:
    """TRL's GRPO trainer 0.20 and later: completions_<step>.parquet, a column for each reward function."""
    for arm in ARMS:
        rows = [
            {
                "step": 20,
                "prompt": c.question,
                "completion": c.text,
                "accuracy_reward": float(c.right),
                "format_reward": 1.0,
            }
            | {"advantage": 0.5}
            for c in cells(arm)
        ]
        put_parquet(to / f"{arm}/completions/completions_00020.parquet", rows)


@shape(k=K)
def wandb_table(to: Path) -> None:
    """A table of weights and biases, as its files hold it: columns, and data as lists."""
    for arm in ARMS:
        columns = ["step", "prompt", "completion", "ground_truth", "reward"]
        data = [[100, c.question, c.text, c.gold, float(c.right)] for c in cells(arm)]
        put_json(to / f"{arm}/media/table/completions_100_ab12.table.json", {"columns": columns, "data": data})


@shape()
def notebook(to: Path) -> None:
    """What notebooks of unsloth and of TRL users save: one JSON list, seeds in names."""
    for arm in ARMS:
        rows = [
            {"question": c.question, "true_answer": c.gold, "predicted_answer": c.answer, "response": c.text}
            | {"is_correct": c.right}
            for c in cells(arm, k=0)
        ]
        put_json(to / f"results_{arm}_seed3407.json", rows)


@shape()
def notebook_summary(to: Path) -> None:
    """The same below a summary; the mark is called `correct`, which is also the number of them."""
    for arm in ARMS:
        rows = [{"question": c.question, "gold": c.gold, "pred": c.answer, "correct": c.right} for c in cells(arm, k=0)]
        found = sum(row["correct"] for row in rows)
        put_json(
            to / f"{arm}.json", {"model": arm, "accuracy": found / 12, "correct": found, "total": 12, "results": rows}
        )


@shape(k=K)
def prm800k(to: Path) -> None:
    """openai/prm800k: scored samples, `unique_id` names the problem, samples have no number."""
    for arm in ARMS:
        rows = [
            {"problem": c.question, "subject": "Algebra", "level": 1, "unique_id": f"test/algebra/{c.i}.json"}
            | {"ground_truth_answer": c.gold, "pre_generated_answer": c.answer, "pre_generated_steps": [c.text]}
            | {"is_correct": c.right, "prm_score": 0.3}
            for c in cells(arm)
        ]
        put_lines(to / f"{arm}.jsonl", rows)


@shape()
def judged(to: Path) -> None:
    """A judge's grades as words, as of SimpleQA: CORRECT, INCORRECT, NOT_ATTEMPTED."""
    for arm in ARMS:
        rows = [
            {"id": c.id, "problem": c.question, "target": c.gold, "response": c.text}
            | {"grade": "CORRECT" if c.right else ("NOT_ATTEMPTED" if c.i == 2 else "INCORRECT")}
            for c in cells(arm, k=0)
        ]
        put_lines(to / f"{arm}/simpleqa.jsonl", rows)


@shape()
def lang_smith(to: Path) -> None:
    """LangSmith's export of an experiment: CSV with inputs., outputs. and feedback."""
    for arm in ARMS:
        rows = [
            {"id": f"{arm}-{c.i}", "example_id": f"e{c.i}", "inputs.question": c.question, "outputs.answer": c.text}
            | {
                "reference.answer": c.gold,
                "correctness": int(c.right),
                "latency": 0.5,
                "status": "success",
                "error": "",
            }
            for c in cells(arm, k=0)
        ]
        put_csv(to / f"experiment-{arm}.csv", rows)


@shape(k=K)
def one_file_a_sample(to: Path) -> None:
    """Runs of a script with other seeds of sampling, one file each: run_0 to run_3."""
    for arm in ARMS:
        for k in range(K):
            rows = [{"id": c.id, "prompt": c.question, "output": c.text, "correct": c.right} for c in cells(arm, k=k)]
            put_lines(to / f"{arm}/sums/run_{k}.jsonl", rows)


@shape(refused="no answers to problems")
def generations_only(to: Path) -> None:
    """bigcode-evaluation-harness: a list of lists of texts; nothing says which are right."""
    for arm in ARMS:
        put_json(to / f"generations_{arm}.json", [[c.text for c in g] for g in groups(arm)])


@shape(refused="without gold they cannot be marked")
def openai_batch(to: Path) -> None:
    """The OpenAI API's and vLLM's batch output: answers by custom_id; the golds are elsewhere."""
    for arm in ARMS:
        rows = [
            {"id": f"batch_req_{c.i}", "custom_id": c.id, "error": None}
            | {
                "response": {
                    "status_code": 200,
                    "body": {
                        "model": arm,
                        "choices": [
                            {"index": 0, "message": {"role": "assistant", "content": c.text}, "finish_reason": "stop"}
                        ],
                    },
                }
            }
            for c in cells(arm, k=0)
        ]
        put_lines(to / f"{arm}_output.jsonl", rows)
    put(to / "README.md", "# Answers\n")
