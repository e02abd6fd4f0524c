"""Fine-tuning as an iterator of typed events. It prints nothing, saves nothing and asks nobody."""

import math
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ift.batching import collate, epochs, pairs
from ift.config import TrainConfig
from ift.dropout import drawn_from, set_dropout
from ift.errors import TrainingError
from ift.events import Evaluated, Prepared, Sampled, Stepped, TrainEvent
from ift.generation import Prompt, Sampling, generate
from ift.loss import batch_loss, losses
from ift.model import GPT2
from ift.precision import uses_bf16
from ift.progress import Progress
from ift.types import Batch, Encoded, Example, Role

SAMPLE_TOKENS = 40
"""A sampled answer's length at most."""
NOTHING_DONE = Progress()


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """The rate of step 1 … total_steps: a rise over `warmup_steps`, then constant or falling to 0 after the last.

    `linear` falls in a straight line, `cosine` along half a wave (Loshchilov & Hutter 2017, without restarts).
    """
    if step <= config.warmup_steps:
        return config.learning_rate * step / config.warmup_steps
    if config.lr_scheduler_type == "constant":
        return config.learning_rate
    left = (total_steps - step + 1) / max(1, total_steps - config.warmup_steps)  # 1 after the warm-up
    return config.learning_rate * (left if config.lr_scheduler_type == "linear" else (1 - math.cos(math.pi * left)) / 2)


class Trainer:
    """Train a model in place; iterate over it for the events, or call `evaluate_if_due` and `advance` in turn.

    AdamW over all weights that are not frozen, as chapter 7 does it (betas 0.9 and 0.999; decay on every
    parameter). The loss of a step is the mean over all trained targets of its batches. Validation and sample
    answers come at step 0, every `eval_steps` and at the end. `progress`: where to go on from (`ift.resume` has
    the rest).

    Raises, while iterated:
        TrainingError: the loss or the gradient is no longer finite; the weights are those of the step before.
    """

    def __init__(
        self,
        model: GPT2,
        config: TrainConfig,
        *,
        train: Sequence[Encoded],
        validation: Sequence[Encoded] = (),
        samples: Sequence[tuple[Example, Prompt]] = (),
        max_length: int | None = None,
        progress: Progress = NOTHING_DONE,
    ) -> None:
        self.model, self.config, self.progress = model, config, progress
        self.train, self.validation, self.samples = train, validation, samples
        self.max_length = max_length
        self.total_steps = config.total_steps(len(train))
        weights = [weight for _, weight in self.trained()]
        self.optimizer = torch.optim.AdamW(
            weights, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        lengths = [pairs(row, max_length) for row in train] if config.group_by_length else None
        self._positions = epochs(
            len(train), config.rows_per_step, seed=config.seed, first=progress.step, lengths=lengths
        )
        model.gradient_checkpointing = config.gradient_checkpointing
        dropout = {"resid_pdrop": config.resid_pdrop, "embd_pdrop": config.embd_pdrop, "attn_pdrop": config.attn_pdrop}
        set_dropout(model, **dropout)

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return self.progress.step

    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """Name and weight of all that is trained, in the optimizer's order."""
        return ((name, weight) for name, weight in self.model.named_parameters() if weight.requires_grad)

    @property
    def is_done(self) -> bool:
        """All steps are done, or the validation loss has not fallen for too long."""
        patience = self.config.early_stopping_patience
        return self.step >= self.total_steps or 0 < patience <= self.progress.stale

    def __iter__(self) -> Iterator[TrainEvent]:
        yield from self.evaluate_if_due()
        while not self.is_done:
            yield from self.advance()

    def advance(self) -> Iterator[TrainEvent]:
        """One step, and the evaluation if one is due after it."""
        yield self._step([self.train[i] for i in next(self._positions)])
        yield from self.evaluate_if_due()

    def evaluate_if_due(self) -> Iterator[TrainEvent]:
        """Validation and samples, unless this step has had them."""
        is_due = self.step % self.config.eval_steps == 0 or self.step == self.total_steps
        if is_due and self.progress.evaluated_step != self.step:
            yield from self._evaluate()

    def prepared(self) -> Prepared:
        """What it will run on, and how much there is."""
        device = self.model.device
        return Prepared(
            step=self.step,
            device=device.type,
            threads=torch.get_num_threads(),
            bf16=uses_bf16(device, bf16=self.config.bf16),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            rows=len(self.train),
        )

    def _batch(self, rows: Sequence[Encoded]) -> Batch:
        return collate(rows, trained=self.config.trained, max_length=self.max_length)

    def _step(self, rows: Sequence[Encoded]) -> Stepped:
        began = time.perf_counter()
        config, step, size = self.config, self.step + 1, self.config.per_device_train_batch_size
        rate = learning_rate(config, step, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batches = [self._batch(rows[i : i + size]) for i in range(0, len(rows), size)]
        with drawn_from(config.seed, step, device=self.model.device):
            loss = self._backward(batches)
        weights = [weight for _, weight in self.trained()]
        total_norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights])
        norm = total_norm.item()
        _require_finite(loss, norm, step)
        if 0 < config.max_grad_norm < norm:  # else there is nothing to scale, and no pass over all gradients
            torch.nn.utils.clip_grads_with_norm_(weights, config.max_grad_norm, total_norm)
        self.optimizer.step()
        self.progress = self.progress.stepped()
        return Stepped(
            step=step,
            total_steps=self.total_steps,
            epoch=step / config.steps_per_epoch(len(self.train)),
            loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            tokens=sum(batch.tokens for batch in batches),
            trained_tokens=sum(batch.trained_tokens for batch in batches),
            step_time_s=time.perf_counter() - began,
        )

    def _backward(self, batches: Sequence[Batch]) -> float:
        """Leave the gradient of the mean loss over all trained targets of the batches; returns that loss."""
        self.model.train()
        self.optimizer.zero_grad()
        targets = sum(batch.trained_tokens for batch in batches)
        total = torch.zeros((), device=self.model.device)
        for batch in batches:
            part = batch_loss(self.model, batch, weight=1 / targets, bf16=self.config.bf16)
            part.backward()
            total += part.detach()
        return total.item()

    def _evaluate(self) -> Iterator[TrainEvent]:
        self.model.eval()
        validated = self._validate() if self.validation else None
        if validated:
            yield validated
        examples = {prompt.record: example for example, prompt in self.samples}
        sampling = Sampling(max_new_tokens=SAMPLE_TOKENS)
        answers = generate(self.model, [prompt for _, prompt in self.samples], sampling)
        for answer in sorted(answers, key=lambda answer: answer.record):
            example = examples[answer.record]
            yield Sampled(
                step=self.step,
                record=answer.record,
                instruction=example.instruction,
                input=example.input,
                output=example.output,
                model_response=answer.text,
                finish=answer.finish,
            )
        self.progress = self.progress.evaluated(validated.loss if validated else None)

    @torch.inference_mode()
    def _validate(self) -> Evaluated:
        """The mean over all trained targets of the split, not the mean of batch means."""
        rows = sorted(self.validation, key=len)  # equal neighbours waste no padding
        size = self.config.per_device_train_batch_size
        bf16 = self.config.bf16
        parts = [losses(self.model, self._batch(rows[i : i + size]), bf16=bf16) for i in range(0, len(rows), size)]
        values = torch.cat([part[0] for part in parts]).cpu().double()
        roles = torch.cat([part[1] for part in parts]).cpu()
        by_role = {Role(r).label: values[roles == r].mean().item() for r in roles.unique().tolist()}
        _require_finite(values.mean().item(), 0.0, self.step)
        return Evaluated(
            step=self.step,
            total_steps=self.total_steps,
            loss=values.mean().item(),
            trained_tokens=len(values),
            loss_by_role=by_role,
        )


def _require_finite(loss: float, norm: float, step: int) -> None:
    if not (math.isfinite(loss) and math.isfinite(norm)):
        what = f"The {'gradient' if math.isfinite(loss) else 'loss'} is not finite any more"
        fix = "Lower the learning_rate, or clip the gradient with max_grad_norm 1.0."
        raise TrainingError(what, where=f"step {step}", fix=fix)
