"""More of them: leaderboards' repositories, services, and harnesses of laboratories.

Made after what is known of these tools, unless `evaluators` names their repository; a version may write other keys.
"""

from __future__ import annotations

from pathlib import Path

from .truth import ARMS, K, cells, chat, groups, put_csv, put_json, put_lines, put_parquet, shape, share


@shape()
def helm(to: Path) -> None:
    """stanford-crfm/helm 0.5: one folder for a run, statistics by instance."""
    for arm in ARMS:
        folder = to / f"benchmark_output/runs/v1/sums:level=1,model={arm}"

        def stat(name: str, value: float) -> dict:
            return {
                "name": {"name": name, "split": "test"},
                "count": 1,
                "sum": value,
                "sum_squared": value,
                "mean": value,
            }

        rows = cells(arm, k=0)
        put_json(
            folder / "per_instance_stats.json",
            [
                {
                    "instance_id": f"id{c.i}",
                    "train_trial_index": 0,
                    "stats": [stat("num_output_tokens", 12.0), stat("exact_match", float(c.right))],
                }
                for c in rows
            ],
        )
        states = [
            {
                "instance": {
                    "input": {"text": c.question},
                    "references": [{"output": {"text": c.gold}, "tags": ["correct"]}],
                    "split": "test",
                    "id": f"id{c.i}",
                }
            }
            | {"train_trial_index": 0, "result": {"success": True, "completions": [{"text": c.text, "logprob": 0}]}}
            for c in rows
        ]
        put_json(folder / "scenario_state.json", {"adapter_spec": {"model": arm}, "request_states": states})
        put_json(folder / "run_spec.json", {"name": f"sums:level=1,model={arm}", "adapter_spec": {"model": arm}})
        put_json(folder / "stats.json", [stat("exact_match", share(arm, 1))])


@shape()
def live_bench(to: Path) -> None:
    """LiveBench: ground_truth_judgment.jsonl, all models in one file, `turn` and time beside the score."""
    rows = [
        {"question_id": f"{c.i:064x}", "task": "sums", "model": arm, "score": float(c.right), "turn": 1}
        | {"tstamp": 1.7e9 + c.i, "category": "math"}
        for arm in ARMS
        for c in cells(arm, k=0)
    ]
    put_lines(to / "data/live_bench/math/sums/model_judgment/ground_truth_judgment.jsonl", rows)


@shape(k=K)
def math_arena(to: Path) -> None:
    """eth-sri/matharena: outputs/<competition>/<provider>/<model>/<problem>.json, lists of answers and marks."""
    for arm in ARMS:
        for g in groups(arm):
            put_json(
                to / f"outputs/sums/local/{arm}/{g[0].i + 1}.json",
                {"idx": g[0].i + 1, "problem": g[0].question, "gold_answer": g[0].gold, "types": ["Algebra"], "N": K}
                | {"messages": [chat(c.question, c.text) for c in g], "answers": [c.answer for c in g]}
                | {"correct": [c.right for c in g], "pass_at_1": sum(c.right for c in g) / K, "warnings": [0] * K}
                | {"cost": {"cost": 0.1, "input_tokens": 36}, "detailed_costs": [{"cost": 0.02}] * K},
            )


@shape(k=K)
def math_arena_hub(to: Path) -> None:
    """The same, as its data sets on the hub: a row for each answer, both models in one Parquet file."""
    rows = [
        {
            "problem_idx": c.i + 1,
            "problem": c.question,
            "model_name": arm,
            "model_config": f"local/{arm}",
            "idx_answer": c.k,
        }
        | {"all_messages": chat(c.question, c.text), "user_message": c.question, "answer": c.text}
        | {"input_tokens": 9, "output_tokens": 12, "cost": 0.1, "parsed_answer": c.answer, "gold_answer": c.gold}
        | {"correct": c.right, "source": "Sums #1", "problem_type": ["Algebra"]}
        for arm in ARMS
        for c in cells(arm)
    ]
    put_parquet(to / "data/train-00000-of-00001.parquet", rows)


@shape()
def promptfoo(to: Path) -> None:
    """promptfoo 0.100: results.json, both providers in one list."""
    found = [
        {
            "promptIdx": p,
            "testIdx": c.i,
            "provider": {"id": arm, "label": ""},
            "vars": {"question": c.question, "answer": c.gold},
        }
        | {"response": {"output": c.text, "tokenUsage": {"total": 21}}, "success": c.right, "score": int(c.right)}
        | {"gradingResult": {"pass": c.right, "score": int(c.right), "reason": ""}, "latencyMs": 5, "cost": 0}
        for p, arm in enumerate(ARMS)
        for c in cells(arm, k=0)
    ]
    stats = {"successes": sum(row["success"] for row in found), "failures": sum(not row["success"] for row in found)}
    put_json(to / "results.json", {"evalId": "eval-1", "results": {"version": 3, "results": found, "stats": stats}})


@shape()
def deep_eval(to: Path) -> None:
    """confident-ai/deepeval: a test run, metrics in a list of each case."""
    for arm in ARMS:
        rows = [
            {
                "name": f"case_{c.i}",
                "input": c.question,
                "actualOutput": c.text,
                "expectedOutput": c.gold,
                "success": c.right,
            }
            | {"metricsData": [{"name": "Correctness", "threshold": 0.5, "success": c.right, "score": float(c.right)}]}
            | {"order": c.i, "runDuration": 0.1}
            for c in cells(arm, k=0)
        ]
        put_json(to / f"{arm}.json", {"testFile": "sums.py", "testCases": rows, "testPassed": 3, "testFailed": 9})


@shape(k=K)
def inspect_frame(to: Path) -> None:
    """inspect_ai 0.3: samples_df(...) saved as CSV, scores as C and I, epochs from 1."""
    rows = [
        {
            "sample_id": f"{arm}-{c.i}-{c.k}",
            "eval_id": f"e-{arm}",
            "model": f"local/{arm}",
            "task_name": "sums",
            "id": c.i,
        }
        | {"epoch": c.k + 1, "input": c.question, "target": c.gold, "metadata_level": 1, "error": ""}
        | {"score_match": "C" if c.right else "I", "total_tokens": 21}
        for arm in ARMS
        for c in cells(arm)
    ]
    put_csv(to / "samples.csv", rows)


@shape(k=K)
def eureka(to: Path) -> None:
    """microsoft/eureka-ml-insights: metric_results.jsonl, marks in words, repeats named `repeat_0`."""
    for arm in ARMS:
        rows = [
            {"uid": c.i, "prompt": c.question, "ground_truth": c.gold, "model_output": c.text, "is_valid": True}
            | {
                "data_repeat_id": f"repeat_{c.k}",
                "extracted_answer": c.answer,
                "response_time": 1.5,
                "n_output_tokens": 12,
            }
            | {"NumericMatch_result": "correct" if c.right else "incorrect"}
            for c in cells(arm)
        ]
        put_lines(to / f"Sums_{arm}/eval_report/metric_results.jsonl", rows)


@shape()
def zero_eval(to: Path) -> None:
    """WildEval/ZeroEval: result_dirs/<task>/<model>.json, an output in a list, `solved` after the report."""
    for arm in ARMS:
        rows = [
            {"session_id": f"sums-{c.i}", "chat_history": [c.question], "model_input": c.question, "output": [c.text]}
            | {"generator": arm, "configs": {"temperature": 0}, "dataset": "sums", "correct_answer": c.gold}
            | {"model_answer": c.answer, "matched": c.right}
            for c in cells(arm, k=0)
        ]
        put_json(to / f"result_dirs/sums/{arm}.json", rows)
