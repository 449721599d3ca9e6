"""A GRPO step, sampling and marking included: TRL's GRPOTrainer and backend `local`, on the same prompts.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/train_step.py [--models quickstart,10m] [--repeats 3] [--json FILE]
    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/train_step.py --pieces [--models 10m]     # where ours goes

A step is 32 prompts x 8 rollouts and 4 updates, with a reference model (KL 0.04), in single precision on one thread.
Sides run in turns, each in a process of its own, and count processor seconds of whole steps; the first of a process
is not counted. TRL has its default settings but for what makes the work equal: sizes, rate, loss type, KL; bf16 and
recomputed layers, its defaults, are off, for it is slower with them here, and so is its factor on the KL, which is
another objective. That the work is equal is shown: tokens and updates of each side, and on one batch both losses and
gradients of the first update after weights have moved.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from bench import sides

LENGTHS = {"quickstart": 48, "10m": 64}
"""most tokens of a response"""
PASSES = 8
"""over every token of a step: sampled, read by the reference, and two epochs forward and twice backward"""
CEILING_ROWS = 512
"""rows of the products that the ceiling is measured by: about where they are fastest"""
PIECES = {
    "sample": "harness.backends.local.generate.sample",
    "mark": "harness.backends.local.generate.mark_all",
    "reference": "harness.backends.local.loop.fixed_logp",
    "forward": "harness.backends.local.update.forward_logprobs",
    "backward": "torch.Tensor.backward",
    "optimiser": "torch.optim.AdamW.step",
}


class Quiet:
    """An observer that keeps the last record."""

    def on_step(self, record: Any) -> None:
        self.last = record

    def warn(self, message: str) -> None: ...


def folder_of(model: str, root: Path) -> Path:
    from bench.made_models import made
    from harness.models.resolving import resolve

    return resolve("quickstart-base") if model == "quickstart" else made(model, root / model)


def trial(max_tokens: int, steps: int) -> Any:
    from algorithms.registry import get
    from harness.config.evaluation import Evaluation
    from harness.config.experiment import Arm, Experiment, Trial
    from harness.config.training_recipe import Recipe
    from harness.records import Comparison

    recipe = Recipe(max_tokens=max_tokens)
    arm = Arm("grpo", "grpo", get("grpo"), recipe)
    experiment = Experiment(
        name="bench", backend="local", model="", template="bare", train="mini_rl", seeds=(0,),
        budget_rollouts=steps * recipe.prompts_per_step * recipe.group_size, recipe=recipe,
        evaluation=Evaluation({}, {}, points=1), arms=(arm,), comparison=Comparison("grpo", []),
    )  # fmt: skip
    return Trial(experiment, arm, 0)


def ours(folder: Path, max_tokens: int, place: Path) -> Any:
    """The training of our side."""
    from benchmarks.registry import training_set
    from harness.backends.local.loop import Training
    from harness.prompts.stream import PromptStream
    from harness.records import TrialFolder

    stream = PromptStream(training_set("mini_rl").problems, 0)
    return Training(trial(max_tokens, 1000), folder, stream, TrialFolder(place), lambda *_: None, Quiet())


def processor() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime


def run_ours(folder: Path, max_tokens: int, steps: int) -> list[dict[str, Any]]:
    found = []
    with tempfile.TemporaryDirectory() as place:
        training = ours(folder, max_tokens, Path(place))
        before, tokens, updates = processor(), 0, 0
        for _ in range(steps):
            record = training.step()
            after = processor()
            count = {"tokens": record.tokens - tokens, "updates": record.updates - updates}
            found.append({"user": after[0] - before[0], "system": after[1] - before[1], **count})
            before, tokens, updates = after, record.tokens, record.updates
    return found


def trainer(folder: Path, max_tokens: int, place: Path, steps: int) -> Any:
    """TRL's, over the prompts that ours asks first."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer  # pyright: ignore[reportPrivateImportUsage]

    from benchmarks.registry import training_set
    from harness.prompts.stream import PromptStream
    from harness.prompts.templates import render
    from rence import Response, mark_all

    recipe = trial(max_tokens, 1).arm.recipe
    tokenizer = AutoTokenizer.from_pretrained(folder)
    stream = PromptStream(training_set("mini_rl").problems, 0)
    asked = [prompt.problem for prompt in stream.take(0, steps * recipe.prompts_per_step)]
    ids = {problem.question: list(render(tokenizer, problem, "bare")) for problem in asked}
    of = {problem.question: problem for problem in asked}

    def reward(prompts: list[str], completions: list[str], **_: Any) -> list[float | None]:
        said = zip(prompts, completions, strict=True)
        marked = mark_all([Response(text, of[prompt].gold, of[prompt].rule) for prompt, text in said])
        return [float(one.mark == "correct") for one in marked]

    class Counted(GRPOTrainer):
        tokens = 0

        def _tokenize_prompts(self, prompts: list) -> Any:
            return [ids[prompt] for prompt in prompts], None, {}

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            found = super()._generate_and_score_completions(inputs)
            self.tokens += int(found["completion_mask"].sum())
            return found

        def _send_telemetry(self) -> None: ...

    rows, batches = recipe.prompts_per_step * recipe.group_size, recipe.minibatches
    config = GRPOConfig(
        str(place), use_cpu=True, bf16=False, gradient_checkpointing=False, disable_dropout=True, seed=0,
        max_steps=steps * recipe.epochs * batches, per_device_train_batch_size=rows // batches,
        steps_per_generation=batches, num_iterations=recipe.epochs, num_generations=recipe.group_size,
        max_completion_length=max_tokens, temperature=recipe.temperature, beta=0.04, loss_type="grpo",
        use_bias_correction_kl=False,
        learning_rate=recipe.learning_rate, lr_scheduler_type="constant", adam_beta2=recipe.adam_beta2,
        max_grad_norm=recipe.max_grad_norm, shuffle_dataset=False, save_strategy="no", logging_strategy="no",
        report_to="none", disable_tqdm=True,
    )  # fmt: skip
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    data = Dataset.from_dict({"prompt": list(of)})
    return Counted(net, reward, config, data, processing_class=tokenizer)


def run_trl(folder: Path, max_tokens: int, steps: int) -> list[dict[str, Any]]:
    import torch
    from transformers import TrainerCallback

    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        training = trainer(folder, max_tokens, Path(place), steps)
        at: dict[str, Any] = {"tokens": 0}

        class Clock(TrainerCallback):
            def on_train_begin(self, *_: Any, **__: Any) -> None:
                at["before"] = processor()

            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                if state.global_step % 4:
                    return
                after, before = processor(), at["before"]
                count = {"tokens": training.tokens - at["tokens"], "updates": 4}
                found.append({"user": after[0] - before[0], "system": after[1] - before[1], **count})
                at.update(before=after, tokens=training.tokens)

        training.add_callback(Clock())
        training.train()
    return found


SIDES: dict[str, Callable[[Path, int, int], list[dict[str, Any]]]] = {"ours": run_ours, "trl": run_trl}


def proof(folder: Path, max_tokens: int) -> dict[str, Any]:
    """Loss and gradient of both on one batch: ours sampled it, and made an update, so that ratios are not 1."""
    import torch

    from harness.backends.collect import collect
    from harness.backends.local.generate import generate

    with tempfile.TemporaryDirectory() as place:
        training = ours(folder, max_tokens, Path(place) / "ours")
        ask = partial(generate, training.policies.sampler, training.trial)
        batch = training.prepare(collect(training.trial, training.stream, 0, ask, print), 1)
        batch = batch.select(torch.arange(16))
        # Of +1 and -1, for a model of random weights is never right.
        batch = replace(batch, credit={"advantage": torch.arange(len(batch)) % 2 * 2.0 - 1})
        training.learner.update(batch, 0.0)
        value = training.learner.backward(batch, 0.0)[0]
        our_net = training.learner.model.net
        theirs = trainer(folder, max_tokens, Path(place) / "trl", 1)
        theirs.model.load_state_dict(our_net.state_dict())
        theirs.current_gradient_accumulation_steps = 1
        loss = theirs._compute_loss(theirs.model, inputs_of(batch))
        loss.backward()
        pairs = list(zip(our_net.parameters(), theirs.model.parameters(), strict=True))
        apart = sum(float((a.grad - b.grad).square().sum()) for a, b in pairs)
        size = sum(float(b.grad.square().sum()) for _, b in pairs)
    return {"loss": value, "loss_trl": float(loss.detach()), "gradient_apart": (apart / size) ** 0.5}


def inputs_of(batch: Any) -> dict[str, Any]:
    """A batch of ours as TRL's loss takes it: prompts padded on the left."""
    import torch

    prompts = [torch.tensor(batch.prompts[batch.problem_ids[group]]) for group in batch.group_B.tolist()]
    width = max(map(len, prompts))
    return {
        "prompt_ids": torch.stack([torch.nn.functional.pad(ids, (width - len(ids), 0)) for ids in prompts]),
        "prompt_mask": torch.stack([(torch.arange(width) >= width - len(ids)).long() for ids in prompts]),
        "completion_ids": batch.tokens_BT,
        "completion_mask": batch.mask_BT.long(),
        "advantages": batch.credit["advantage"],
        "old_per_token_logps": batch.old_logp_BT,
        "ref_per_token_logps": batch.ref_logp_BT,
        "num_items_in_batch": batch.mask_BT.sum(),
    }


def compare(model: str, folder: Path, repeats: int, steps: int) -> dict[str, Any]:
    def side(name: str) -> sides.Run:
        command = [
            sys.executable,
            __file__,
            "--side",
            name,
            "--folder",
            folder,
            "--models",
            model,
            "--steps",
            steps + 1,
        ]
        told = sides.child(command)
        rows = told.value[1:]
        cpu, system = (sum(row[key] for row in rows) / len(rows) for key in ("user", "system"))
        return sides.Run(cpu, system, told.wall, rows, told.peak_mb)

    runs = sides.alternate({name: partial(side, name) for name in SIDES}, repeats)
    found: dict[str, Any] = {name: sides.summary(some) for name, some in runs.items()}
    for name, some in runs.items():
        steps_of = [row for run in some for row in run.value]
        found[name] |= {"tokens": sides.median(row["tokens"] for row in steps_of), "updates": steps_of[0]["updates"]}
    found["ratio"] = sides.ratio(runs["trl"], runs["ours"])
    found["share_of_ceiling"] = least_seconds(folder, found["ours"]["tokens"]) / found["ours"]["cpu_s"]
    return found


def least_seconds(folder: Path, tokens: float) -> float:
    """Of a step's matrix products at the measured rate: every response token and each prompt once a group, 8 times."""
    from transformers import AutoConfig, AutoTokenizer

    from benchmarks.registry import training_set
    from harness.prompts.templates import render

    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = training_set("mini_rl").problems[:32]
    prompts = sum(len(render(tokenizer, problem, "bare")) for problem in asked)
    products = sides.products_of(AutoConfig.from_pretrained(folder))
    return PASSES * (tokens + prompts) / CEILING_ROWS * sides.gemm_seconds(CEILING_ROWS, products)


@contextmanager
def clocks() -> Iterator[dict[str, float]]:
    """Processor seconds spent in each piece while open."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = sum(processor())
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += sum(processor()) - start

        return run

    with ExitStack() as stack:
        for name, place in PIECES.items():
            stack.enter_context(patch(place, timed(name, resolve_name(place))))
        yield spent


def pieces(model: str, folder: Path, steps: int) -> dict[str, float]:
    """Milliseconds a step of ours, by piece."""
    with tempfile.TemporaryDirectory() as place:
        training = ours(folder, LENGTHS[model], Path(place))
        training.step()
        with clocks() as spent:
            start = sum(processor())
            for _ in range(steps):
                training.step()
            spent["whole"] = sum(processor()) - start
    return {name: 1000 * value / steps for name, value in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="quickstart,10m", help=f"of {', '.join(LENGTHS)}")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each side")
    parser.add_argument(
        "--steps", type=int, help="counted in each process; else 8 of the quickstart, 1 of larger models"
    )
    parser.add_argument("--pieces", action="store_true", help="where a step of ours goes, nothing else")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(SIDES[options.side](options.folder, LENGTHS[options.models], options.steps)))
        return
    steps_of, work_of = [], []
    with tempfile.TemporaryDirectory() as root:
        for model in options.models.split(","):
            folder = folder_of(model, Path(root))
            steps = options.steps or (8 if model == "quickstart" else 1)
            if options.pieces:
                spent = pieces(model, folder, steps)
                print(model, *(f"{name} {value:,.0f} ms" for name, value in spent.items()), sep="  ")
                continue
            one = compare(model, folder, options.repeats, steps)
            steps_of.append({"model": model, **one})
            work_of.append({"model": model, **proof(folder, LENGTHS[model])})
            shown(steps_of[-1], work_of[-1])
    sides.write(options.json, {"A step of GRPO": steps_of, "The same loss and gradient on one batch": work_of})


def shown(step: Mapping[str, Any], work: Mapping[str, Any]) -> None:
    """For people."""
    for name in SIDES:
        it = step[name]
        print(
            f"{step['model']:12s}{name:6s}{it['cpu_s']:9.3f} cpu-s a step, {100 * it['system_share']:.0f} % system, "
            f"{it['tokens']:,.0f} tokens, {it['updates']} updates, {it.get('peak_mb', 0):,.0f} MB"
        )
    print(
        f"{step['model']:12s}{step['ratio']:.2f} times TRL; {100 * step['share_of_ceiling']:.0f} % of the ceiling; "
        f"loss {work['loss']:.6f} and {work['loss_trl']:.6f}, gradients {work['gradient_apart']:.1e} apart",
        flush=True,
    )


if __name__ == "__main__":
    main()
