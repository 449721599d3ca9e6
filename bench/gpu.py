"""What backend `local` does on this machine's GPU, in eight minutes: are its numbers the CPU's, and how fast is it?

    python bench/gpu.py [--wheels FOLDER] [--json FILE] [--only NAME ...]
    python bench/gpu.py --device cpu --small      # the whole script without a GPU, in about a minute

It needs Python, torch and transformers. What else the package rests on travels as wheels, which `bench/gpu_wheels.py`
packs. Each section catches its own failure and the script goes on; one that would end too late is skipped. Exit code 1
if a check does not hold or a section failed.

    objectives   loss and gradient of every algorithm against fp32 on the CPU: 1e-4 in fp32; 6 % and cosine .998 in
                 bf16; what an objective measures of the batch first (a KL that sets a coefficient) on its own
    sampler      tokens a second against transformers' `generate`, random weights of Qwen3-0.6B's shape
    step         a training step against the measured ceiling of matrix products, its peak memory against the plan's
    lora         the same with adapters
    resume       a trial killed and started again against one that never was
    verl         verl's FSDP learner with packing, where verl is installed
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

SECONDS = 480
NEEDS = {"objectives": 60, "sampler": 100, "step": 50, "lora": 40, "resume": 30, "verl": 60}
"""seconds that must be left for a section to begin"""
CLOSE = {"fp32": (1e-4, 1 - 1e-6), "bf16": (0.06, 0.998)}
"""most relative L2 distance of the gradient (and of the loss, where that is above 1), and least cosine"""
MEASURED = {"fp32": 1e-5, "bf16": 5e-4}
"""most distance of what an objective measures, such as a KL in nats a token (above 1: relative)"""
SHAPE = {"hidden_size": 1024, "num_hidden_layers": 28, "intermediate_size": 3072, "num_attention_heads": 16,
         "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}  # fmt: skip
SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 192, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 512}  # fmt: skip
Rows = list[dict[str, Any]]


class Bench:
    """Where it runs, and how large the work is."""

    def __init__(self, device: str, small: bool, folder: Path) -> None:
        self.device, self.small, self.folder = device, small, folder
        self.rows = (4, 8) if small else (64, 256, 512)
        self.prompt, self.response = (8, 8) if small else (128, 128)
        self.shape = SMALL if small else SHAPE

    def wait(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()

    def timed(self, work: Callable[[], Any]) -> tuple[float, Any]:
        """Seconds, and what the work gave."""
        self.wait()
        began = time.perf_counter()
        value = work()
        self.wait()
        return time.perf_counter() - began, value

    def model(self, name: str, **shape: Any) -> Path:
        """A folder with random weights of Qwen3's architecture, and the shipped tokenizer."""
        import torch
        from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

        from harness.models.resolving import resolve

        folder = self.folder / name
        if not folder.exists():
            torch.manual_seed(0)
            config = Qwen3Config(**shape, tie_word_embeddings=True, max_position_embeddings=4096)
            # On the device where there is one: 600 million numbers take a core ten seconds.
            with torch.device(self.device):
                net = Qwen3ForCausalLM(config)
            net.cpu().save_pretrained(folder)
            AutoTokenizer.from_pretrained(resolve("quickstart-base")).save_pretrained(folder)
        return folder


def batch_of(groups: int, size: int, prompt: int, response: int, vocabulary: int, reference: bool) -> Any:
    """Random tokens, half of each group right, responses of every length up to `response`."""
    import torch

    from harness.backends.groups import TokenRollouts

    generator, rows = torch.Generator().manual_seed(1), groups * size
    length_B = torch.randint(max(1, response // 2), response + 1, (rows, 1), generator=generator)
    length_B[0] = response
    mask_BT = torch.arange(response) < length_B
    label_B = torch.arange(rows) % 2 == 0
    logp_BT = torch.zeros(rows, response)
    names = tuple(f"problem {number}" for number in range(groups))
    prompts = torch.randint(vocabulary, (groups, prompt), generator=generator).tolist()
    return TokenRollouts(
        group_B=torch.arange(rows) // size, label_B=label_B, reward_B=label_B.float(),
        truncated_B=length_B[:, 0] == response, mask_BT=mask_BT, old_logp_BT=logp_BT, problem_ids=names,
        max_tokens=response, ref_logp_BT=logp_BT if reference else None,
        tokens_BT=torch.randint(vocabulary, (rows, response), generator=generator) * mask_BT,
        prompts={name: tuple(tokens) for name, tokens in zip(names, prompts, strict=True)}, correct_B=label_B,
    )  # fmt: skip


def learner_of(folder: Path, algorithm: Any, device: str, dtype: str, **recipe: Any) -> Any:
    from harness.backends.local.update import Learner, make_optimizer
    from harness.config.training_recipe import Recipe
    from harness.models.compute import Compute
    from harness.models.language_model import load

    asked = Recipe(**recipe)
    model = load(folder, Compute(device, dtype), to_train=True, lora=asked.lora)  # type: ignore[arg-type]
    return Learner(model, algorithm, asked, make_optimizer(model, asked))


def prepared(algorithm: Any, batch: Any, logp_BT: Any) -> Any:
    """As training makes it: old and reference log-probs near theta's, shaped rewards, credit."""
    import torch

    generator = torch.Generator().manual_seed(2)
    near = [
        (logp_BT + 0.02 * torch.randn(logp_BT.shape, generator=generator)) * batch.mask_BT for _ in ("old", "reference")
    ]
    batch = replace(batch, old_logp_BT=near[0], ref_logp_BT=near[1] if algorithm.reference else None)
    batch = replace(batch, reward_B=algorithm.shape(batch))
    return replace(batch, credit=algorithm.credit(batch, lambda _: torch.Generator().manual_seed(3)))


def objectives(bench: Bench) -> Rows:
    import torch

    from algorithms.registry import ALL, get
    from harness.backends.local.logprobs import fixed_logp

    shape = SMALL if bench.small else {**SMALL, "hidden_size": 256, "num_hidden_layers": 4}
    folder = bench.model("objectives", **shape)
    batch = batch_of(4, 4, 8, 16, shape["vocab_size"], False)
    sides = [("cpu", "fp32"), *((bench.device, dtype) for dtype in CLOSE)]
    learners = [learner_of(folder, get("grpo"), device, dtype) for device, dtype in sides]
    logp_BT = fixed_logp(learners[0].model, batch, 1.0, 10**6)
    found: Rows = []
    for name in sorted(ALL):
        algorithm = get(name)
        of_algorithm = prepared(algorithm, batch, logp_BT)
        given, measured = [], []
        means: dict[str, float] = {}
        for one in learners:
            one.algorithm, one.state = algorithm, {}
            here = of_algorithm.to(one.model.device)
            if algorithm.measures:
                # A mean of signed differences near zero, against a threshold: rounding of log-probs (some 1e-4 nats) is
                # a tenth of it, and of a coefficient made of it. The gradient is compared at one coefficient.
                measured.append(one._measured([here], None))
                means = means or measured[0]
                one._measured = lambda *_, means=means: means
            loss, _ = one.backward(here, 0.5)
            vars(one).pop("_measured", None)
            gradient = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten().cpu().double()
                                  for p in one.model.learnt()])  # fmt: skip
            one.optimizer.zero_grad()
            given.append((loss, gradient))
        loss, exact = given[0]
        for at, ((device, dtype), (other, gradient)) in enumerate(zip(sides[1:], given[1:], strict=True), 1):
            far = float((gradient - exact).norm() / exact.norm().clamp_min(1e-12))
            cosine = float(gradient @ exact / (gradient.norm() * exact.norm()).clamp_min(1e-24))
            off, (most, least) = abs(other - loss) / max(1.0, abs(loss)), CLOSE[dtype]
            pairs = [(value, means[key]) for key, value in measured[at].items()] if measured else []
            apart = max((abs(value - true) / max(1.0, abs(true)) for value, true in pairs), default=0.0)
            holds = apart <= MEASURED[dtype] and far <= most and off <= most and (cosine >= least or not exact.any())
            found.append({"algorithm": name, "on": f"{dtype} on {device}", "loss": other, "loss_off": off,
                          "gradient_off": far, "cosine": cosine, "holds": holds,
                          **({"measured_off": apart} if measured else {})})  # fmt: skip
    return found


def sampler(bench: Bench) -> Rows:
    import torch
    from transformers import GenerationConfig

    from harness.engines.base import Request, Sampling
    from harness.engines.sampler import sample
    from harness.models.compute import Compute
    from harness.models.language_model import load

    dtype = "bf16" if bench.device == "cuda" else "fp32"
    net: Any = load(bench.model("large", **bench.shape), Compute(bench.device, dtype)).net  # type: ignore[arg-type]
    ours_attention, found = net.config._attn_implementation, []
    for rows in bench.rows:
        ids = torch.randint(bench.shape["vocab_size"], (rows, bench.prompt), generator=torch.Generator().manual_seed(0))
        requests = [Request(tuple(prompt), (row,)) for row, prompt in enumerate(ids.tolist())]
        there = ids.to(bench.device)

        def ours(tokens: int, requests: Any = requests) -> int:
            return int(sample(net, requests, Sampling(tokens, 1.0), ()).length_B.sum())

        def theirs(tokens: int, there: Any = there) -> int:
            options = GenerationConfig(do_sample=True, top_k=0, max_new_tokens=tokens, min_new_tokens=tokens,
                                       pad_token_id=0)  # fmt: skip
            with torch.inference_mode():
                made = net.generate(there, attention_mask=torch.ones_like(there), generation_config=options)
            return made.numel() - there.numel()

        row: dict[str, Any] = {"rows": rows, "numbers": f"{dtype} on {bench.device}"}
        for side, work, attention in (("ours", ours, ours_attention), ("transformers", theirs, "sdpa")):
            net.set_attn_implementation(attention)
            try:
                # As long as what is timed: graphs and buffers are made for a size.
                work(bench.response)
                seconds, made = bench.timed(lambda work=work: work(bench.response))
                row[f"{side}_tokens_per_second"] = made / seconds
            except torch.OutOfMemoryError as error:
                row[f"{side}_failed"] = str(error).partition(". ")[0]
        net.set_attn_implementation(ours_attention)
        sides = [row.get(f"{side}_tokens_per_second", 0.0) for side in ("ours", "transformers")]
        found.append({**row, **({"ratio": sides[0] / sides[1]} if all(sides) else {})})
    return found


def matmul_ceiling(bench: Bench, dtype: str) -> float:
    """FLOPs a second of torch's own product, the best of three sizes."""
    import torch

    best = 0.0
    for side in (64, 256) if bench.small else (4096, 8192):
        x = torch.randn(
            side, side, device=bench.device, dtype=getattr(torch, {"bf16": "bfloat16"}.get(dtype, "float32"))
        )
        bench.timed(lambda x=x: x @ x)
        seconds, _ = bench.timed(lambda x=x: [x @ x for _ in range(10)])
        best = max(best, 20 * side**3 / seconds)
    return best


def step(bench: Bench, lora: bool = False) -> Rows:
    import torch

    from algorithms.registry import get
    from harness.backends.local import memory
    from harness.models.lora import Lora
    from harness.models.shape import read

    folder, dtype = bench.model("large", **bench.shape), "bf16" if bench.device == "cuda" else "fp32"
    groups, size = (2, 4) if bench.small else (4, 8)
    response = bench.response * (1 if bench.small else 4)
    algorithm = get("grpo", kl_coef=0.0)
    shape = read(folder)
    assert shape is not None
    found = []
    for again in (False, True):
        limit = size * (bench.prompt + response)
        learner = learner_of(folder, algorithm, bench.device, dtype, group_size=size, prompts_per_step=groups,
                             microbatch_tokens=limit, max_tokens=response,
                             lora=Lora(rank=8) if lora else None)  # fmt: skip
        if again:
            from harness.models.checkpointing import keep_inputs_alone

            keep_inputs_alone(learner.model.net)
        batch = batch_of(groups, size, bench.prompt, response, bench.shape["vocab_size"], False)
        batch = prepared(algorithm, batch, torch.full(batch.mask_BT.shape, -10.0)).to(learner.model.device)
        learner.update(batch, 0.0)
        if bench.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds, _ = bench.timed(lambda learner=learner, batch=batch: learner.update(batch, 0.0))
        # Useful work: every token once forward and twice backward; layers computed again are not counted, and a prompt
        # is, for each of its responses.
        answers = int(batch.mask_BT.sum())
        tokens = answers + len(batch) * bench.prompt
        flops = 6.0 * (tokens * shape.layers * shape.layer + answers * shape.vocab * shape.hidden)
        load = memory.TrialLoad(
            shape, shape.parameters, dtype == "bf16", limit, len(batch), bench.prompt + response, again
        )
        update = next(phase for phase in memory.phases(load) if phase.name == "update")
        ceiling = matmul_ceiling(bench, dtype)
        row = {"step": "adapters" if lora else "all weights", "layers_again": again,
               "numbers": f"{dtype} on {bench.device}",
               "tokens": tokens, "seconds": seconds, "tflops": flops / seconds / 1e12, "ceiling_tflops": ceiling / 1e12,
               "share_of_ceiling": flops / seconds / ceiling}  # fmt: skip
        if bench.device == "cuda":
            row["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
            if not lora:
                planned = (update.bytes - memory.RUNTIME) / 1e9
                row |= {"planned_gb": planned, "holds": row["peak_gb"] <= planned}
        found.append(row)
        del learner, batch
        if bench.device == "cuda":
            torch.cuda.empty_cache()
    return found


def lora(bench: Bench) -> Rows:
    from importlib.util import find_spec

    return step(bench, lora=True) if find_spec("peft") else [{"skipped": "peft is not installed"}]


def resume(bench: Bench) -> Rows:
    from harness.backends.example_trial import BackendUnderTest, under_test
    from harness.backends.local.settings import LocalSettings

    found = []
    for dtype in CLOSE:
        of = under_test("local")
        settings = LocalSettings(device=bench.device, dtype=dtype)  # type: ignore[arg-type]
        of = BackendUnderTest("local", of.backend, replace(of.experiment, backend_settings=settings))
        seconds, whole = bench.timed(lambda of=of: of.whole)
        again = of.resumed
        same = whole.folder.steps.read_bytes() == again.folder.steps.read_bytes()
        equal = whole.result.final_weights == again.result.final_weights
        found.append({"trial": f"{dtype} on {bench.device}", "seconds": seconds, "same_weights": equal,
                      "same_steps": same, "holds": same and equal})  # fmt: skip
    return found


def verl(bench: Bench) -> Rows:
    """Its largest micro-batch of packed sequences: log-probs and two updates by verl's own engine."""
    from importlib.util import find_spec

    if bench.device != "cuda" or find_spec("verl") is None:
        return [{"skipped": "verl is not installed" if bench.device == "cuda" else "needs a GPU"}]
    from harness import config
    from harness.backends.registry import get_backend
    from harness.config.manifest import read

    manifest = read(Path(__file__).parents[1] / "configs" / "smoke.yaml", ["backend=verl", "local=null"])
    manifest.data["verl"] = {"gpus_per_node": 1, "max_prompt_tokens": 128, "flash_attention": False}
    rows = get_backend("verl").try_gpu(config.build(manifest), 60)
    return [{"part": row.part, "found": row.found, "holds": row.state in ("ok", "note")} for row in rows]


SECTIONS: dict[str, Callable[[Bench], Rows]] = {
    "objectives": objectives, "sampler": sampler, "step": step, "lora": lora, "resume": resume, "verl": verl,
}  # fmt: skip


def run(bench: Bench, only: list[str], seconds: float) -> dict[str, Any]:
    """Section -> its rows, how long it took, or why there are none."""
    deadline, results = time.monotonic() + seconds, {}
    for name in only or SECTIONS:
        left = deadline - time.monotonic()
        if left < (0 if bench.small else NEEDS[name]):
            results[name] = {"skipped": f"{left:.0f} s were left"}
            continue
        began, result = time.monotonic(), {}
        try:
            result["rows"] = SECTIONS[name](bench)
        except Exception as error:  # whatever one section meets, the others are worth having
            last = traceback.format_exception(error)[-1].strip().splitlines()
            where = traceback.extract_tb(error.__traceback__)[-1]
            result["failed"] = f"{last[0]} ({Path(where.filename).name}:{where.lineno})"
        results[name] = {**result, "seconds": round(time.monotonic() - began, 1)}
        print(f"\n{name}: {results[name]['seconds']} s", *_table(results[name]), sep="\n", flush=True)
    return results


def _table(result: dict[str, Any]) -> Iterator[str]:
    if "failed" in result:
        yield f"  FAILED: {result['failed']}"
        return
    keys = list(dict.fromkeys(key for row in result["rows"] for key in row))
    cells = [keys, *([_cell(row.get(key, "-")) for key in keys] for row in result["rows"])]
    widths = [max(len(line[at]) for line in cells) for at in range(len(keys))]
    yield from ("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _cell(value: Any) -> str:
    return (
        f"{value:,.0f}"
        if isinstance(value, float) and value >= 1000
        else f"{value:.4g}"
        if isinstance(value, float)
        else str(value)
    )


def where(device: str) -> dict[str, Any]:
    import torch
    import transformers

    card = torch.cuda.get_device_properties(0) if device == "cuda" else None
    gpu = {"gpu": card.name, "memory_gb": round(card.total_memory / 1e9, 1), "cuda": torch.version.cuda} if card else {}
    return {"date": date.today().isoformat(), "device": device, **gpu, "torch": torch.__version__,
            "transformers": transformers.__version__, "python": sys.version.split()[0]}  # fmt: skip


def unpacked(wheels: Path, folder: Path) -> None:
    """Put what the wheels hold on the path, behind what is installed. Compiled ones are no use inside a zip."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    sys.path.append(str(folder))


def holds(results: dict[str, Any]) -> bool:
    rows = [row for result in results.values() for row in result.get("rows", ())]
    return all(row.get("holds", True) for row in rows) and not any("failed" in result for result in results.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny models: whether it runs, not how fast")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that it may take")
    parser.add_argument("--only", nargs="+", choices=tuple(SECTIONS), default=[], help="these sections")
    parser.add_argument("--wheels", type=Path, help="folder of what `bench/gpu_wheels.py` packed")
    parser.add_argument("--json", type=Path, help="write all of it there")
    asked = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.wheels:
            unpacked(asked.wheels, folder / "packages")
        import torch

        if asked.device == "cuda" and not torch.cuda.is_available():
            print(f"torch {torch.__version__} sees no GPU here. `--device cpu --small` runs the script without.")
            return 3
        place = where(asked.device)
        print(*(f"{key} {value}" for key, value in place.items()), sep=", ")
        results = run(Bench(asked.device, asked.small, folder), asked.only, asked.seconds)
    if asked.json:
        asked.json.write_text(json.dumps({**place, "small": asked.small, "results": results}, indent=1) + "\n")
    return 0 if holds(results) else 1


if __name__ == "__main__":
    sys.exit(main())
