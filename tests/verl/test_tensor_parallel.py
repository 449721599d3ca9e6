"""vLLM's CPU build with the model cut over two processes answers as it does whole. Of `make nightly`: it is started
twice, in processes of its own.

    python tests/verl/test_tensor_parallel.py PROCESSES FILE        what the test runs
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from benchmarks import registry
from harness.base.seeds import derive
from harness.engines.base import Request, Sampling
from harness.engines.registry import open_engine
from harness.models.resolving import resolve
from harness.prompts import templates

NIGHTLY = "RENCE_NIGHTLY"
PROBLEMS, SAMPLES = 16, 4


@pytest.mark.skipif(NIGHTLY not in os.environ, reason=f"takes a minute; `make nightly` sets {NIGHTLY}")
def test_two_processes_answer_as_one(tmp_path: Path) -> None:
    answers = {}
    for count in (1, 2):
        file = tmp_path / f"{count}.json"
        done = subprocess.run(
            [sys.executable, __file__, str(count), str(file)], capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-3000:]
        answers[count] = json.loads(file.read_text())
    assert answers[1] == answers[2]
    assert len(answers[1]) == 2 * PROBLEMS * SAMPLES and len(set(map(tuple, answers[1]))) > PROBLEMS


def main(processes: int, file: Path) -> None:
    """Sampled and greedy answers of the shipped model."""
    folder = resolve("quickstart-base")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    requests = [
        Request(templates.render(tokenizer, one, "bare"), tuple(derive("test", one.id, k) for k in range(SAMPLES)))
        for one in registry.benchmark("mini_sums").problems[:PROBLEMS]
    ]
    engine = open_engine("vllm", folder, tensor_parallel_size=processes)
    found = [engine.generate(requests, way) for way in (Sampling(48), Sampling(48, temperature=0))]
    file.write_text(json.dumps([[one.text, one.tokens] for way in found for group in way for one in group]))
    engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
