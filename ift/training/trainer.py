"""Fine-tuning as an iterator of typed events. It prints nothing, saves nothing and asks nobody."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from ift.config import TrainConfig
from ift.data.batching import Batch, batch_for, pair_counts
from ift.data.order import epoch_batches
from ift.errors import ConfigError, GradientError, TrainingError
from ift.events import Evaluated, Prepared, Sampled, Stepped, TrainEvent, Warned
from ift.masks import PROMPT_ROLES
from ift.model.cuda.decoder import cuda_capture, plainly
from ift.model.cuda.graphs import Capture
from ift.model.dropout import drawn_from, set_dropout
from ift.model.generate import Prompt, Sampling, generate
from ift.model.gpt2 import GPT2
from ift.model.loss import batch_loss, losses
from ift.model.precision import uses_bf16
from ift.roles import Role
from ift.runs.ranks import ALONE, World, portion
from ift.training.adamw import AdamW
from ift.training.graph_step import GraphStep, capture_for, plan_sizes
from ift.training.progress import Progress
from ift.training.rounding import Rounded, Size
from ift.training.schedule import learning_rate
from ift.types import Encoded, Example

SAMPLE_TOKENS = 40
"""A sampled answer's length at most."""
VALIDATION_BATCHES = 4
"""Training batches validated at once on a CUDA device: without gradients they take less memory than one that trains."""
NOTHING_DONE = Progress()


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What this rank does in a step: its batches, and how often each counts (`portion`); rounded up for graphs."""

    batches: list[Batch]
    counted: list[int]
    rounded: list[tuple[Rounded, Size]]


class Trainer:
    """Train a model in place; iterate over it for the events, or call `evaluate_if_due` and `advance` in turn.

    AdamW over all weights that are not frozen, as chapter 7 does it (betas 0.9 and 0.999; decay on every
    parameter). The loss of a step is the mean over all trained targets of its batches, weighted where
    `prompt_loss_weight` says so: Σ weight · loss / Σ weight, both over the whole step. Validation and sample
    answers come at step 0, every `eval_steps` and at the end. `progress`: where to resume from (`ift.training.resume`
    restores the rest). `world`: the processes that share the work (`ift.runs.ranks`); each has a trainer with the same
    arguments, takes its share of each step's rows, and yields the same events. `capture`: how steps are recorded as
    CUDA graphs; None does so where the device and the options allow it (`capture_for`).

    Raises:
        ConfigError: the options can't be used together on the model's device.

    Raises, while iterated:
        TrainingError: the loss is no longer finite, or (GradientError) the gradient is not: the weights are those of
            the step before.
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
        world: World = ALONE,
        capture: Capture | None = None,
    ) -> None:
        require_same_masks(config, model.device)
        self.model, self.config, self.progress, self.world = model, config, progress, world
        self.train, self.validation, self.samples = train, validation, samples
        self.max_length = max_length
        self.total_steps = config.total_steps(len(train))
        self._through = world.wrap(model, fsdp=config.fsdp)
        capture = capture or capture_for(config, model, world)
        rate = torch.tensor(config.learning_rate, device=model.device) if capture else config.learning_rate
        weights = [weight for _, weight in self.trained()]
        self.optimizer = AdamW(weights, lr=rate, weight_decay=config.weight_decay)
        self._positions = self.order()
        self._ahead: _Drawn | None = None
        self._graphs = GraphStep(model, self.optimizer, config, self._sizes(), capture) if capture else None
        self._has_warned = False
        model.gradient_checkpointing = config.gradient_checkpointing
        dropout = {"resid_pdrop": config.resid_pdrop, "embd_pdrop": config.embd_pdrop, "attn_pdrop": config.attn_pdrop}
        set_dropout(model, **dropout)

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return self.progress.step

    def order(self) -> Iterator[list[int]]:
        """The rows of each step to come, as positions in `train`."""
        config = self.config
        lengths = pair_counts(self.train, self.max_length) if config.group_by_length else None
        return epoch_batches(len(self.train), config.rows_per_step, seed=config.seed, first=self.step, lengths=lengths)

    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """Name and weight of all that is trained, in the optimizer's order."""
        return ((name, weight) for name, weight in self.model.named_parameters() if weight.requires_grad)

    def _sizes(self) -> list[Size]:
        """What the batches to come are rounded up to."""
        steps = islice(self.order(), max(1, self.total_steps - self.step))
        return plan_sizes(self.train, steps, self.config, max_length=self.max_length)

    @property
    def is_done(self) -> bool:
        """All steps are done, or the validation loss has not fallen for too long."""
        patience = self.config.early_stopping_patience
        return self.step >= self.total_steps or 0 < patience <= self.progress.stale

    def __iter__(self) -> Iterator[TrainEvent]:
        yield from filter(None, self.evaluate_if_due())
        while not self.is_done:
            yield from filter(None, self.advance())

    def advance(self) -> Iterator[TrainEvent | None]:
        """One step, and the evaluation if one is due after it."""
        yield self._step()
        if self._graphs and self._graphs.failure and not self._has_warned:
            self._has_warned = True
            message = "Steps can't be recorded as CUDA graphs here and run one kernel after the other, which is slower"
            yield Warned(step=self.step, message=f"{message}: {self._graphs.failure}")
        yield from self.evaluate_if_due()

    def evaluate_if_due(self) -> Iterator[TrainEvent | None]:
        """Validation and samples, unless this step has had them.

        None comes after each batch: an evaluation may take minutes, and whoever asks it to stop should not wait. One
        that is left before its end counts as none.
        """
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
            ranks=self.world.size,
        )

    def _batch(self, rows: Sequence[Encoded]) -> Batch:
        config = self.config
        return batch_for(
            rows,
            trained=config.trained,
            max_length=self.max_length,
            prompt_loss_weight=config.prompt_loss_weight,
            shift=config.shift_targets,
        ).batch

    def _mine(self, rows: Sequence[Encoded], *, size: int) -> tuple[list[Batch], list[int]]:
        """This rank's part of the rows in batches of this size, and whether each counts (`portion`)."""
        parts, counted = portion(rows, size, rank=self.world.rank, size=self.world.size)
        return [self._batch(part) for part in parts], counted

    def _draw(self) -> _Drawn:
        rows = [self.train[i] for i in next(self._positions)]
        batches, counted = self._mine(rows, size=self.config.per_device_train_batch_size)
        return _Drawn(batches, counted, [self._graphs.ready(batch) for batch in batches] if self._graphs else [])

    def _draw_ahead(self) -> None:
        """Collate the next step's batches: called while the device works on this one's."""
        self._ahead = self._draw() if self.step + 1 < self.total_steps else None

    def _step(self) -> Stepped:
        began = time.perf_counter()
        config, step = self.config, self.step + 1
        rate = learning_rate(config, step, self.total_steps)
        drawn = self._ahead or self._draw()
        tokens, targets, weight = self._count(drawn.batches, drawn.counted)
        loss, norm = self._learn(drawn, total_weight=weight, rate=rate)
        self.progress = self.progress.stepped()
        return Stepped(
            step=step,
            total_steps=self.total_steps,
            epoch=step / config.steps_per_epoch(len(self.train)),
            loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            tokens=tokens,
            trained_tokens=targets,
            step_time_s=time.perf_counter() - began,
        )

    def _learn(self, drawn: _Drawn, *, total_weight: float, rate: float) -> tuple[float, float]:
        """Change the weights; gives the loss, and the norm of its gradient before clipping."""
        if self._graphs:
            self._graphs.begin(drawn.rounded, total_weight=total_weight, rate=rate)
            self._draw_ahead()
            outcome = self._graphs.end()
            _require_finite(outcome.loss, outcome.norm, self.step + 1)
            return outcome.loss, outcome.norm
        self.optimizer.lr = rate
        with drawn_from(self.config.seed, self.step + 1, self.world.rank, device=self.model.device):
            total = self._backward(drawn.batches, [counts / total_weight for counts in drawn.counted])
        weights = [weight for _, weight in self.trained()]
        total_norm = self.world.full_tensor(
            torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        )
        self._draw_ahead()
        mine, norm = torch.stack([total, total_norm]).tolist()  # here the device is waited for, and nowhere else
        loss = self.world.sums(mine)[0] / self.world.size
        _require_finite(loss, norm, self.step + 1)
        if 0 < self.config.max_grad_norm < norm:  # else there is nothing to scale, and no pass over all gradients
            torch.nn.utils.clip_grads_with_norm_(weights, self.config.max_grad_norm, total_norm)
        self.optimizer.step()
        return loss, norm

    def _count(self, batches: Sequence[Batch], counted: Sequence[int]) -> tuple[int, int, float]:
        """Tokens and trained tokens of a step, and what the latter weigh; all ranks' together."""
        mine = [batch for batch, counts in zip(batches, counted, strict=True) if counts]
        counts = [(batch.tokens, batch.trained_tokens, batch.total_weight) for batch in mine]
        tokens, targets, weight = self.world.sums(*(map(sum, zip(*counts, strict=True)) if mine else (0, 0, 0)))
        return int(tokens), int(targets), weight

    def _backward(self, batches: Sequence[Batch], weights: Sequence[float]) -> Tensor:
        """Leave the gradient of the sum of all ranks' losses, batch by batch with its weight; gives this rank's part.

        What the ranks' gradients come to is their mean, so each counts as many times as there are ranks: their
        targets are not equally many, and the mean of the ranks' means would be another loss.
        """
        self.model.train()
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.model.device)
        for i, (batch, weight) in enumerate(zip(batches, weights, strict=True), start=1):
            with self.world.accumulating(self._through, is_last=i == len(batches)):
                part = self._loss(batch, share=weight * self.world.size)
                part.backward()
            total += part.detach()
        return total

    def _loss(self, batch: Batch, *, share: float) -> Tensor:
        return self._through(lambda model: batch_loss(model, batch, share=share, bf16=self.config.bf16))

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self._through(lambda model: losses(model, batch, bf16=self.config.bf16))

    def _evaluate(self) -> Iterator[TrainEvent | None]:
        self.model.eval()
        validated = (yield from self._validate()) if self.validation else None
        if validated:
            yield validated
        examples = {prompt.record: example for example, prompt in self.samples}
        sampling = Sampling(max_new_tokens=SAMPLE_TOKENS)
        prompts = [prompt for _, prompt in self.samples]
        capture = cuda_capture if self.config.cuda_graphs else plainly
        with torch.no_grad():  # no backward pass will follow, which DDP would wait for
            answers = self._through(  # all ranks the same
                lambda model: list(generate(model, prompts, sampling, capture=capture))
            )
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
    def _validate(self) -> Generator[None, None, Evaluated]:
        """The mean over all trained targets of the split, weighted as in training, not the mean of batch means."""
        rows = sorted(self.validation, key=len)  # equal neighbours waste no padding
        size = self.config.per_device_train_batch_size * (VALIDATION_BATCHES if self.model.device.type == "cuda" else 1)
        found: list[tuple[Tensor, Tensor]] = []
        for batch, weight in zip(*self._mine(rows, size=size), strict=True):
            measured = self._losses(batch)  # every rank takes part, whether its batch counts or not
            if weight:
                found.append(measured)
            yield None
        empty = (torch.zeros(0), torch.zeros(0, dtype=torch.uint8))
        values, roles = (torch.cat(part).cpu() for part in zip(*(found or [empty]), strict=True))  # waited for once
        sums = torch.bincount(roles, values.double(), minlength=len(Role))
        counts = torch.bincount(roles, minlength=len(Role))
        numbers = self.world.sums(*sums.tolist(), *counts.tolist())
        by_role = dict(zip(Role, zip(numbers[: len(Role)], numbers[len(Role) :], strict=True), strict=True))
        targets = int(sum(count for _, count in by_role.values()))
        weights = {role: self.config.prompt_loss_weight if role in PROMPT_ROLES else 1.0 for role in by_role}
        total_weight = sum(weights[role] * count for role, (_, count) in by_role.items())
        loss = sum(weights[role] * total for role, (total, _) in by_role.items()) / total_weight
        _require_finite(loss, 0.0, self.step)
        return Evaluated(
            step=self.step,
            total_steps=self.total_steps,
            loss=loss,
            trained_tokens=targets,
            loss_by_role={role.label: total / count for role, (total, count) in by_role.items() if count},
        )


def require_same_masks(config: TrainConfig, device: torch.device) -> None:
    """Refuse what would silently give wrong gradients: checkpointing restores random numbers on CPU and CUDA only.

    Raises:
        ConfigError: the options can't be used together on this device.
    """
    drops = config.resid_pdrop or config.embd_pdrop or config.attn_pdrop or config.lora_dropout
    if config.gradient_checkpointing and drops and device.type == "mps":
        what = "gradient_checkpointing can't be true with dropout on Apple's GPU"
        fix = "PyTorch would compute a block again with other masks there: leave one of them out."
        raise ConfigError(what, where="gradient_checkpointing", fix=fix)


def _require_finite(loss: float, norm: float, step: int) -> None:
    if not (math.isfinite(loss) and math.isfinite(norm)):
        name, kind = ("gradient", GradientError) if math.isfinite(loss) else ("loss", TrainingError)
        fix = "Lower the learning_rate, or clip the gradient with max_grad_norm 1.0."
        raise kind(f"The {name} is not finite any more", where=f"step {step}", fix=fix)
