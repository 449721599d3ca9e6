"""TRL's GRPOTrainer with an algorithm of rence-bench in the place of its loss."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import GRPOConfig, GRPOTrainer  # pyright: ignore[reportPrivateImportUsage]

import rence
from rence import backends
from rence.backends import metrics


def config(trial: backends.Trial, output: Path) -> GRPOConfig:
    """The recipe in TRL's words. What belongs to TRL's own loss, mini-batches and schedule is not used."""
    recipe, settings = trial.arm.recipe, trial.experiment.backend_settings
    steps = -(-trial.experiment.budget_rollouts // (recipe.group_size * recipe.prompts_per_step))
    return GRPOConfig(
        str(output),
        use_cpu=settings.use_cpu,
        bf16=settings.bf16,
        seed=trial.seed,
        max_steps=steps * recipe.epochs * recipe.minibatches + 1,  # never reached: the mini-batches end before
        max_grad_norm=recipe.max_grad_norm,
        temperature=recipe.temperature,
        max_completion_length=recipe.max_tokens,
        num_generations=recipe.group_size,
        per_device_train_batch_size=recipe.group_size,  # rows of a pass that learns nothing
        num_iterations=2,  # above 1: TRL keeps the sampler's log-probs
        beta=1.0 if trial.arm.algorithm.reference else 0.0,  # above 0: TRL makes a reference model
        disable_dropout=True,
        gradient_checkpointing=False,
        ignore_data_skip=True,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


class ObjectiveTrainer(GRPOTrainer):
    """GRPOTrainer that learns by a `rence.Algorithm`.

    TRL's: sampling, log-probs, backward pass, clipping, the optimiser's steps. Ours: what is asked, what marks it, what
    of it is learnt from and in which mini-batches, and the loss.
    """

    model: Any
    ref_model: Any

    def __init__(self, trial: backends.Trial, model: Path, stream: backends.PromptStream, output: Path) -> None:
        self.trial, self.recipe, self.algorithm = trial, trial.arm.recipe, trial.arm.algorithm
        self.mini_batches: Iterator[backends.TokenRollouts] = iter(())
        self.logged: dict[str, rence.Mean] = {}  # metrics of this step's updates
        self.carried: Mapping[str, float] = {}  # what the algorithm hands from update to update
        self.spent = 0.0  # share of the budget that has been generated
        self.generate_seconds = 0.0
        recipe = self.recipe
        net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        optimizer = torch.optim.AdamW(
            net.parameters(),
            lr=recipe.learning_rate,
            betas=(recipe.adam_beta1, recipe.adam_beta2),
            eps=recipe.adam_eps,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        super().__init__(
            model=net,
            reward_funcs=self.mark,
            args=config(trial, output),
            train_dataset=Dataset.from_dict({"prompt": [problem.question for problem in stream.problems]}),
            processing_class=AutoTokenizer.from_pretrained(model),
            optimizers=(optimizer, LambdaLR(optimizer, lambda done: recipe.rate(done) / recipe.learning_rate)),
        )
        self.beta = 0.0  # the reference model is there; it is asked of what is learnt from, and of nothing else
        self.remove_callback(PrinterCallback)

    def generate(self, prompts: Sequence[backends.Prompt]) -> list[backends.Group]:
        """The rollouts of each prompt, sampled by TRL and marked by its reward function, which is ours."""
        started, size, most = time.perf_counter(), self.recipe.group_size, self.recipe.max_tokens
        asked = [backends.render(self._tokenizer, one.problem, self.trial.experiment.template) for one in prompts]
        positions = getattr(self.model.config, "max_position_embeddings", None)
        backends.check_room([rence.Request(ids, ()) for ids in asked], rence.Sampling(most), positions)
        torch.manual_seed(prompts[0].sample_seed(self.trial.seed, 0))  # by what is asked: a resumed trial says the same
        self.model.train()  # as TRL tells training from evaluation; dropout is off
        rows = [{"prompt": ids, "problem": one.problem} for ids, one in zip(asked, prompts, strict=True)]
        try:
            found = self._generate_and_score_completions([row for row in rows for _ in range(size)])
        except RuntimeError as error:
            if "probability tensor" in str(error):  # as torch says it of logits that are not finite
                raise backends.Diverged("the logits of the sampler are not finite") from error
            raise
        ids_BT, logp_BT = found["completion_ids"].cpu(), found["old_per_token_logps"].cpu()
        ends = zip(found["completion_mask"].sum(1).tolist(), self.truncated, self.marked, self.given, strict=True)
        rollouts = [
            backends.Rollout(ids_BT[row, :n], logp_BT[row, :n], cut, one.mark, one.answer or None, given=given)
            for row, (n, cut, one, given) in enumerate(ends)
        ]
        self.generate_seconds += time.perf_counter() - started
        groups = zip(prompts, asked, range(0, len(rollouts), size), strict=True)
        return [backends.Group(prompt, ids, tuple(rollouts[at : at + size])) for prompt, ids, at in groups]

    def _tokenize_prompts(self, prompts: list) -> tuple[list, None, dict[str, Any]]:
        """Of TRL, before it samples: ours are token ids already, by the experiment's template."""
        return [list(ids) for ids in prompts], None, {}

    def mark(self, completions: list[str], completion_ids: list, problem: list[rence.Problem], **_: Any) -> list:
        """TRL's reward function: 1 for a right answer, None where marking failed. Keeps the marks, which say more, and
        what the recipe's own reward gives, if it has one."""
        self.truncated = [not ids or ids[-1] not in self.eos_token_ids for ids in completion_ids]
        said = zip(completions, problem, self.truncated, strict=True)
        self.marked = rence.mark_all([rence.Response(text, one.gold, one.rule, cut) for text, one, cut in said])
        rated = [backends.Rated(text, one) for text, one in zip(completions, problem, strict=True)]
        self.given = backends.rewarded(self.recipe, rated)
        return [None if one.mark == "grader_failed" else float(one.mark == "correct") for one in self.marked]

    def get_train_dataloader(self) -> Any:
        """Trainer makes an update of each batch; they are our mini-batches."""
        for batch in self.mini_batches:
            yield {"batch": batch}
        self.control.should_training_stop = True

    def _send_telemetry(self) -> None:
        """Of TRL, which would tell the hub that it is used."""

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """Of TRL, where it would sample."""
        return generation_batch

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Tensor:
        """The algorithm's loss of a mini-batch, in the place of TRL's.

        Micro-batches add up to it, for the denominators come from outside. All but the last go backward here, which
        frees their memory; the last when Trainer has it.
        """
        batch, algorithm = inputs["batch"], self.algorithm
        totals, means = rence.Totals.of(batch), {}
        if algorithm.measures:
            sums = algorithm.measure(batch, self.fixed_log_probs(model, batch))
            means = {name: float(total) / totals.tokens for name, total in sums.items()}
        self.carried = algorithm.adapt(self.carried, means)
        totals = replace(totals, means=means, state=self.carried, progress=self.spent)
        self.value, last = 0.0, torch.zeros(())
        for groups in backends.micro_batches(batch, self.recipe.microbatch_tokens):
            if last.requires_grad:
                self.accelerator.backward(last)
            micro = batch.select(groups)
            logp_BT, entropy_BT = self.log_probs(model, micro, algorithm.wants_entropy)
            loss = algorithm.loss(replace(micro, entropy_BT=entropy_BT), logp_BT, totals)
            metrics.add(self.logged, loss.metrics)
            self.value, last = self.value + loss.value.item(), loss.value
        return last + (self.value - last.item())

    def log_probs(
        self, model: Any, batch: backends.TokenRollouts, entropy: bool = False, rows: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """logp_BT, and entropy_BT if asked for, by TRL's forward pass at the sampling temperature.

        Args:
            rows: of one pass; None: all.
        """
        prompts = [torch.tensor(batch.prompts[batch.problem_ids[group]]) for group in batch.group_B.tolist()]
        width = max(map(len, prompts))
        prompt_BP = torch.stack([torch.nn.functional.pad(ids, (width - len(ids), 0)) for ids in prompts])
        there_BP = torch.arange(width) >= width - torch.tensor([[len(ids)] for ids in prompts])
        ids_BW = torch.cat([prompt_BP, batch.tokens_BT], 1).to(self.args.device)
        mask_BW = torch.cat([there_BP, batch.mask_BT], 1).long().to(self.args.device)
        logp_BT, entropy_BT, _ = self._get_per_token_logps_and_entropies(
            model, ids_BW, mask_BW, batch.tokens_BT.shape[1], rows, entropy
        )
        return logp_BT.cpu(), None if entropy_BT is None else entropy_BT.cpu()

    @torch.no_grad()
    def fixed_log_probs(self, model: Any, batch: backends.TokenRollouts) -> Tensor:
        """logp_BT of a model that does not learn from them, as many rows at a time as TRL takes where it samples."""
        return self.log_probs(model, batch, rows=self.args.per_device_train_batch_size)[0]

    def _clip_grad_norm(self, model: Any) -> Any:
        """Of Trainer, between the backward pass and the optimiser's step. Raises: Diverged if there must be none."""
        norm: Any = super()._clip_grad_norm(model)
        rate = self.recipe.rate(self.state.global_step)
        metrics.add(self.logged, metrics.update_metrics(self.value, float(norm), rate))
        return norm
