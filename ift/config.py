"""What decides a run: one frozen value, checked once. Names are Hugging Face's."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ift.data_options import FIELDS, LAYOUT, ON_ERROR_OPTION, TURNS_OPTION, DataOptions
from ift.errors import ConfigError
from ift.masks import PROMPT_ROLES, TRAIN_ON, parse_trained
from ift.options import Group, Option, check_options, declare, document, nearest, quote
from ift.roles import Role

TARGET_MODULES: Mapping[str, frozenset[str]] = {
    "c_attn": frozenset({"qkv"}),
    "c_proj": frozenset({"proj", "out"}),
    "c_fc": frozenset({"fc"}),
    "attn.c_proj": frozenset({"proj"}),
    "mlp.c_proj": frozenset({"out"}),
}
"""What LoRA can adapt: Hugging Face's names → the layers of a block here."""
MOST_PROMPTS = 16


@document
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A fine-tuning run's options; the defaults are the `quick` preset.

    Raises:
        ConfigError: an option has a value outside its limits, or one that does nothing beside the others.
    """

    model: str = declare(
        "starter",
        Option(
            "Model to start from: a name, a Hugging Face Hub id, a folder or a run",
            group=Group.DATA,
            aliases=("model_name_or_path", "model_name", "base_model"),
        ),
    )
    data: str = declare(
        "starter",
        Option(
            "Data set: a name, a file (JSON, JSON Lines, CSV, Parquet), a folder, an address, a data set on the Hub",
            group=Group.DATA,
            aliases=("dataset", "dataset_name", "train_file", "data_path"),
        ),
    )
    layout: str = declare("auto", LAYOUT)
    fields: str = declare("", FIELDS)
    turns: str = declare("last", TURNS_OPTION)
    on_error: str = declare("raise", ON_ERROR_OPTION)
    template: str = declare(
        "alpaca",
        Option(
            "Prompt template: a name or a text file", group=Group.DATA, aliases=("prompt_template", "chat_template")
        ),
    )
    train_on: str = declare(
        "response",
        Option(
            f"Tokens whose prediction is the loss: {', '.join(TRAIN_ON)}, or roles with commas "
            f"({', '.join(role.label for role in Role)})",
            group=Group.DATA,
        ),
    )
    shift_targets: bool = declare(
        True,
        Option(
            "Each token's target is the next one; false makes it the token itself, a common fault, to see it fail",
            group=Group.DATA,
        ),
    )
    prompt_loss_weight: float = declare(
        1.0,
        Option(
            "What a trained prompt token weighs in the loss, a mean over the sum of all weights; a response token "
            "weighs 1",
            minimum=0,
            maximum=1,
            special={0: "as if train_on had no prompt tokens"},
            example="0.1",
            group=Group.OPTIMIZER,
            aliases=("prompt_weight", "prompt_loss"),
        ),
    )
    num_train_epochs: float = declare(
        2.0,
        Option(
            "Passes through the training records; a fraction ends within a pass",
            above=0,
            maximum=10_000,
            example="2 or 0.5",
            group=Group.LENGTH,
            aliases=("epochs", "num_epochs", "n_epochs"),
        ),
    )
    max_steps: int = declare(
        -1,
        Option(
            "Optimizer steps, instead of epochs",
            minimum=1,
            special={-1: "the epochs decide"},
            example="200",
            group=Group.LENGTH,
            aliases=("steps", "num_steps", "max_train_steps"),
        ),
    )
    per_device_train_batch_size: int = declare(
        16,
        Option(
            "Rows that one process computes at a time",
            minimum=1,
            example="8",
            group=Group.BATCH,
            aliases=("batch_size", "train_batch_size", "per_device_batch_size", "micro_batch_size"),
        ),
    )
    gradient_accumulation_steps: int = declare(
        1,
        Option(
            "Batches per optimizer step; the step's loss is the mean over all their targets",
            minimum=1,
            example="4",
            group=Group.BATCH,
            aliases=("grad_accumulation_steps", "accumulation_steps"),
        ),
    )
    learning_rate: float = declare(
        3e-4,
        Option("Learning rate at its peak", above=0, maximum=1, example="5e-5", group=Group.OPTIMIZER, aliases=("lr",)),
    )
    weight_decay: float = declare(
        0.01, Option("Weight decay of AdamW", minimum=0, maximum=1, example="0.1", group=Group.OPTIMIZER)
    )
    lr_scheduler_type: str = declare(
        "linear",
        Option(
            "Learning rate after the warmup: constant, or falling to 0 at the last step",
            choices=("constant", "linear", "cosine"),
            group=Group.OPTIMIZER,
            aliases=("lr_scheduler", "scheduler"),
        ),
    )
    warmup_steps: int = declare(
        20,
        Option(
            "Steps in which the learning rate rises to its peak",
            minimum=0,
            example="20",
            group=Group.OPTIMIZER,
            aliases=("warmup_ratio", "num_warmup_steps", "warmup"),
        ),
    )
    max_grad_norm: float = declare(
        1.0,
        Option(
            "Longer gradients are scaled down to this norm",
            minimum=0,
            special={0: "no clipping"},
            example="1.0",
            group=Group.OPTIMIZER,
            aliases=("gradient_clipping", "grad_clip", "clip_grad_norm"),
        ),
    )
    max_length: int | None = declare(
        None,
        Option(
            "Tokens that a row may have",
            minimum=1,
            unset="the model's context",
            example="256",
            group=Group.DATA,
            aliases=("max_seq_length", "max_seq_len", "cutoff_len", "block_size", "model_max_length"),
        ),
    )
    max_length_policy: str = declare(
        "truncate",
        Option(
            "Longer rows: truncate cuts them, drop leaves them out, raise refuses them",
            choices=("truncate", "drop", "raise"),
            group=Group.BATCH,
        ),
    )
    eval_steps: int = declare(
        20,
        Option(
            "Steps between evaluations; the last step is always evaluated",
            minimum=1,
            example="50",
            group=Group.REPORTS,
            aliases=("logging_steps", "eval_every"),
        ),
    )
    prompts: str = declare(
        "",
        Option(
            "Questions of your own to answer at each evaluation, too, with a vertical bar between them",
            example="What is the capital of France? | Name a fruit.",
            group=Group.REPORTS,
            aliases=("sample_prompts", "eval_prompts", "follow"),
        ),
    )
    save_steps: int = declare(
        100,
        Option(
            "Steps between checkpoints; the last step is always saved",
            minimum=1,
            example="100",
            group=Group.REPORTS,
            aliases=("save_every", "checkpoint_steps"),
        ),
    )
    early_stopping_patience: int = declare(
        0,
        Option(
            "Evaluations in a row without a lower validation loss that end the run, at the checkpoint with the lowest",
            minimum=0,
            special={0: "never stop early"},
            example="3",
            group=Group.LENGTH,
            aliases=("early_stopping", "patience"),
        ),
    )
    gradient_checkpointing: bool = declare(
        False, Option("Compute activations twice instead of keeping them: less memory, more time", group=Group.BATCH)
    )
    group_by_length: bool = declare(
        False, Option("Batches of rows of about equal length: less padding", group=Group.BATCH)
    )
    resid_pdrop: float = declare(
        0.0,
        Option(
            "Dropout of what each layer adds",
            minimum=0,
            below=1,
            example="0.1",
            group=Group.DROPOUT,
            aliases=("dropout",),
        ),
    )
    embd_pdrop: float = declare(
        0.0, Option("Dropout of the embeddings", minimum=0, below=1, example="0.1", group=Group.DROPOUT)
    )
    attn_pdrop: float = declare(
        0.0, Option("Dropout of the attention weights", minimum=0, below=1, example="0.1", group=Group.DROPOUT)
    )
    r: int = declare(
        0,
        Option(
            "Rank of LoRA",
            minimum=0,
            maximum=1024,
            special={0: "train all weights"},
            example="8",
            group=Group.LORA,
            aliases=("lora_r", "lora_rank", "rank"),
        ),
    )
    lora_alpha: float = declare(
        16.0,
        Option(
            "Scale of LoRA: what it adds is multiplied by lora_alpha / r",
            above=0,
            maximum=10_000,
            example="16",
            needs="r",
            group=Group.LORA,
            aliases=("alpha",),
        ),
    )
    lora_dropout: float = declare(
        0.0, Option("Dropout of what LoRA reads", minimum=0, below=1, example="0.1", needs="r", group=Group.LORA)
    )
    target_modules: str = declare(
        "c_attn",
        Option(
            f"Layers that LoRA adapts, with commas: {', '.join(TARGET_MODULES)}",
            needs="r",
            group=Group.LORA,
            aliases=("lora_target_modules", "lora_target", "lora_modules"),
        ),
    )
    seed: int = declare(
        123,
        Option(
            "Seed of the order of the rows and of all that is random",
            minimum=0,
            maximum=2**32 - 1,
            example="123",
            group=Group.LENGTH,
            aliases=("random_seed", "data_seed"),
        ),
    )
    bf16: bool | None = declare(
        None,
        Option(
            "Matrix products in bf16 instead of fp32",
            unset="true where the processor is made for it",
            group=Group.BATCH,
            aliases=("fp16", "mixed_precision", "precision", "dtype", "torch_dtype"),
        ),
    )
    cuda_graphs: bool = declare(
        True,
        Option("On a CUDA device, record a training step once and replay it as one launch", group=Group.BATCH),
    )
    fsdp: bool = declare(
        False, Option("Under torchrun, each process holds only its share of the model", group=Group.PROCESSES)
    )
    world_size: int = declare(1, Option("Processes of the run; torchrun sets it", minimum=1))

    def __post_init__(self) -> None:
        check_options(self)
        self._check_prompt_loss_weight()
        self._check_shift()
        _ = self.data_options
        if len(self.own_prompts) > MOST_PROMPTS:
            fix = f"Use at most {MOST_PROMPTS}: each takes time at every evaluation."
            raise ConfigError(f"prompts: {len(self.own_prompts)} questions are too many", fix=fix)
        if unknown := [name for name in self._targets if name not in TARGET_MODULES]:
            near = nearest(unknown[0], TARGET_MODULES)
            fix = f"Did you mean {near}?" if near else f"Use some of {', '.join(TARGET_MODULES)}, with commas."
            raise ConfigError(f"target_modules: {quote(unknown[0])} is no layer that LoRA can adapt", fix=fix)
        if self.fsdp and self.world_size == 1:
            fix = "Leave it out, or start several processes with torchrun."
            raise ConfigError("fsdp: one process alone holds the whole model", fix=fix)

    @property
    def data_options(self) -> DataOptions:
        """How the records of the data set are read."""
        return DataOptions(layout=self.layout, fields=self.fields, turns=self.turns, on_error=self.on_error)

    @property
    def own_prompts(self) -> tuple[str, ...]:
        """The questions of `prompts`."""
        return tuple(text for part in self.prompts.split("|") if (text := part.strip()))

    @property
    def trained(self) -> frozenset[Role]:
        """The roles whose tokens are targets; a prompt's tokens with a weight of 0 are none."""
        roles = parse_trained(self.train_on)
        return roles if self.prompt_loss_weight else roles - PROMPT_ROLES

    def _check_prompt_loss_weight(self) -> None:
        roles, weight = parse_trained(self.train_on), self.prompt_loss_weight
        if weight != 1 and not roles & PROMPT_ROLES:
            what = f"prompt_loss_weight: {quote(weight)} does nothing without prompt tokens in train_on"
            raise ConfigError(what, fix="Set train_on to all, too, or leave prompt_loss_weight out.")
        if not self.trained:
            what = "prompt_loss_weight: 0 leaves no token to train"
            raise ConfigError(what, fix="Use a weight above 0, or a train_on with the response.")

    def _check_shift(self) -> None:
        if not self.shift_targets and self.trained <= {Role.EOS, Role.PAD}:
            what = "shift_targets: false leaves no token to train, as a row's end-of-text is no input"
            raise ConfigError(what, fix="Use a train_on with the response.")

    @property
    def adapted(self) -> frozenset[str]:
        """The layers of a block that LoRA adapts."""
        return frozenset().union(*(TARGET_MODULES[name] for name in self._targets))

    @property
    def _targets(self) -> list[str]:
        return [name.strip() for name in self.target_modules.split(",")]

    def for_processes(self, count: int) -> "TrainConfig":
        """The same rows per step, by so many processes: they accumulate more batches or fewer.

        Raises:
            ConfigError: their batches do not come to that.
        """
        accumulation, left = divmod(self.rows_per_step, self.per_device_train_batch_size * count)
        if left:
            what = f"{count} processes with batches of {self.per_device_train_batch_size} can't share a step's rows"
            where = f"{self.rows_per_step} rows per step, by {self.world_size} processes"
            raise ConfigError(what, where=where, fix=f"Start {self.world_size} processes, as before.")
        fsdp = self.fsdp and count > 1
        return dataclasses.replace(self, world_size=count, gradient_accumulation_steps=accumulation, fsdp=fsdp)

    def total_steps(self, rows: int) -> int:
        """Optimizer steps over `rows` training rows."""
        if self.max_steps > 0:
            return self.max_steps
        return max(1, math.ceil(self.num_train_epochs * self.steps_per_epoch(rows)))

    def steps_per_epoch(self, rows: int) -> int:
        """Optimizer steps per epoch; the last may have fewer rows."""
        return math.ceil(rows / self.rows_per_step)

    @property
    def rows_per_step(self) -> int:
        """Rows that one optimizer step learns from, those of all processes."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * self.world_size


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "book": {
        "train_on": "all",
        "num_train_epochs": 2.0,
        "per_device_train_batch_size": 8,
        "learning_rate": 5e-5,
        "weight_decay": 0.1,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "max_grad_norm": 0.0,
        "eval_steps": 5,
    },
}
"""Options that belong together: `quick` for the starter model, `book` as chapter 7 does it."""


def preset_for(model: str) -> str:
    """The preset that a model starts from."""
    return "quick" if model in ("starter", "starter-untrained") else "book"


def make_config(options: Mapping[str, Any], *, preset: str | None = None) -> TrainConfig:
    """A preset (by default the model's own) with the given options on top.

    Raises:
        ConfigError: an unknown preset, or a value that makes no sense.
    """
    preset = preset or preset_for(str(options.get("model", TrainConfig().model)))
    if preset not in PRESETS:
        raise ConfigError(f"preset: {quote(preset)} is unknown", fix=f"Use one of {', '.join(PRESETS)}.")
    return TrainConfig(**{**PRESETS[preset], **options})


def to_dict(config: TrainConfig) -> dict[str, object]:
    """All options by name, for JSON."""
    return dataclasses.asdict(config)
