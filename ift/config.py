"""What decides a run: one frozen value, checked once. Names are Hugging Face's."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ift.data_options import DataOptions
from ift.errors import ConfigError
from ift.roles import Role, parse_trained

SCHEDULES = ("constant", "linear", "cosine")
MAX_LENGTH_POLICIES = ("truncate", "drop", "raise")
TARGET_MODULES: Mapping[str, frozenset[str]] = {
    "c_attn": frozenset({"qkv"}),
    "c_proj": frozenset({"proj", "out"}),
    "c_fc": frozenset({"fc"}),
    "attn.c_proj": frozenset({"proj"}),
    "mlp.c_proj": frozenset({"out"}),
}
"""What LoRA can stand beside: Hugging Face's names → the layers of a block here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A fine-tuning run's options; the defaults are the `quick` preset.

    model: `starter`, `gpt2` … `gpt2-xl`, a Hub id, a folder or a run. data: `starter`, `book`, `alpaca` or a
    file. layout, fields, turns, on_error: how its records are read (`DataOptions`).
    template: a preset or a file. train_on: a name from `TRAIN_ON` or roles with commas.
    max_steps: -1 leaves the number of steps to the epochs. gradient_accumulation_steps: batches an optimizer
    step, one after the other; its loss is the mean over all their trained targets. lr_scheduler_type: `linear`
    and `cosine` fall to 0 after the last step; all rise over `warmup_steps` first. max_grad_norm: 0 does not
    clip. eval_steps, save_steps: the last step is always evaluated and saved. max_length: tokens a row, None
    takes the model's context; max_length_policy: whether longer rows are cut (`truncate`), left out (`drop`) or
    refused (`raise`). early_stopping_patience: end after so many evaluations in a row without a lower validation
    loss, and go back to the checkpoint that has the lowest; 0 never does. gradient_checkpointing: compute
    activations twice instead of keeping them. group_by_length: batches of rows of about equal length (`epoch_batches`).
    resid_pdrop, embd_pdrop, attn_pdrop: dropout (`set_dropout`); above 0, what all rows of a batch begin with is
    computed for each of them. r: LoRA's rank; 0 trains all weights. lora_alpha: LoRA's scale is lora_alpha / r.
    lora_dropout: dropout of what LoRA's products read. target_modules: what LoRA stands beside, names from
    `TARGET_MODULES` with commas. bf16: matrix products of training in bf16 and not in fp32; None: where the
    processor has it. fsdp: where there are several processes, none holds the whole model. world_size: how many they
    are; torchrun says it, so it is no option.
    """

    model: str = "starter"
    data: str = "starter"
    layout: str = "auto"
    fields: str = ""
    turns: str = "last"
    on_error: str = "raise"
    template: str = "alpaca"
    train_on: str = "response"
    num_train_epochs: float = 2.0
    max_steps: int = -1
    per_device_train_batch_size: int = 16
    gradient_accumulation_steps: int = 1
    learning_rate: float = 3e-4
    weight_decay: float = 0.01
    lr_scheduler_type: str = "linear"
    warmup_steps: int = 20
    max_grad_norm: float = 1.0
    max_length: int | None = None
    max_length_policy: str = "truncate"
    eval_steps: int = 20
    save_steps: int = 100
    early_stopping_patience: int = 0
    gradient_checkpointing: bool = False
    group_by_length: bool = False
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    attn_pdrop: float = 0.0
    r: int = 0
    lora_alpha: float = 16.0
    lora_dropout: float = 0.0
    target_modules: str = "c_attn"
    seed: int = 123
    bf16: bool | None = None
    fsdp: bool = False
    world_size: int = 1

    def __post_init__(self) -> None:
        parse_trained(self.train_on)
        _ = self.data_options
        self._check(
            0 < self.num_train_epochs <= 10_000,
            "num_train_epochs",
            "Give more than 0 and at most 10000, such as 2 or 0.5.",
        )
        self._check(self.max_steps == -1 or self.max_steps > 0, "max_steps", "Give 1 or more, or -1 for whole epochs.")
        for name in ("per_device_train_batch_size", "gradient_accumulation_steps", "eval_steps", "save_steps"):
            self._check(getattr(self, name) >= 1, name, "Give 1 or more.")
        self._check(0 < self.learning_rate <= 1, "learning_rate", "Give more than 0 and at most 1, such as 5e-5.")
        self._check(0 <= self.weight_decay <= 1, "weight_decay", "Give a number from 0 to 1, such as 0.1.")
        for name, known in (("lr_scheduler_type", SCHEDULES), ("max_length_policy", MAX_LENGTH_POLICIES)):
            self._check(getattr(self, name) in known, name, f"Give one of {', '.join(known)}.")
        self._check(self.warmup_steps >= 0, "warmup_steps", "Give 0 or more.")
        self._check(self.max_grad_norm >= 0, "max_grad_norm", "Give 0 (no clipping) or more, such as 1.0.")
        self._check(self.max_length is None or self.max_length >= 1, "max_length", "Give 1 or more, or leave it out.")
        patience = "Give 0 (never stop early) or more, such as 3."
        self._check(self.early_stopping_patience >= 0, "early_stopping_patience", patience)
        for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop", "lora_dropout"):
            self._check(0 <= getattr(self, name) < 1, name, "Give 0 (no dropout) or more, below 1, such as 0.1.")
        self._check(0 <= self.r <= 1024, "r", "Give 0 (train all weights) to 1024, such as 8.")
        for name, default in (("lora_alpha", 16.0), ("lora_dropout", 0.0), ("target_modules", "c_attn")):
            given = getattr(self, name) != default
            self._check(self.r > 0 or not given, name, "Give r, LoRA's rank, too, or leave it out.")
        self._check(0 < self.lora_alpha <= 10_000, "lora_alpha", "Give more than 0, such as 2 × r.")
        known = f"Give some of {', '.join(TARGET_MODULES)}, with commas."
        self._check(set(self._targets) <= TARGET_MODULES.keys(), "target_modules", known)
        self._check(0 <= self.seed < 2**32, "seed", "Give a whole number from 0 to 4294967295.")
        self._check(self.world_size >= 1, "world_size", "Start one process or more.")
        alone = "One process alone has all of the model: leave it out, or start several with torchrun."
        self._check(not self.fsdp or self.world_size > 1, "fsdp", alone)

    def _check(self, good: bool, name: str, fix: str) -> None:
        value = getattr(self, name)
        finite = not isinstance(value, float) or math.isfinite(value)
        if not good or not finite:
            raise ConfigError(f"{name} can't be {value}", where=name, fix=fix)

    @property
    def data_options(self) -> DataOptions:
        """How the records of the data set are read."""
        return DataOptions(layout=self.layout, fields=self.fields, turns=self.turns, on_error=self.on_error)

    @property
    def trained(self) -> frozenset[Role]:
        """The roles whose tokens are targets."""
        return parse_trained(self.train_on)

    @property
    def adapted(self) -> frozenset[str]:
        """The layers of a block that LoRA stands beside."""
        return frozenset().union(*(TARGET_MODULES[name] for name in self._targets))

    @property
    def _targets(self) -> list[str]:
        return [name.strip() for name in self.target_modules.split(",")]

    def for_processes(self, count: int) -> "TrainConfig":
        """The same rows a step, by so many processes: they accumulate more batches or fewer.

        Raises:
            ConfigError: their batches do not come to that.
        """
        accumulation, left = divmod(self.rows_per_step, self.per_device_train_batch_size * count)
        if left:
            what = f"{count} processes with batches of {self.per_device_train_batch_size} can't share a step's rows"
            where = f"{self.rows_per_step} rows a step, by {self.world_size} processes"
            raise ConfigError(what, where=where, fix=f"Start {self.world_size} processes, as before.")
        fsdp = self.fsdp and count > 1
        return dataclasses.replace(self, world_size=count, gradient_accumulation_steps=accumulation, fsdp=fsdp)

    def total_steps(self, rows: int) -> int:
        """Optimizer steps over `rows` training rows."""
        if self.max_steps > 0:
            return self.max_steps
        return max(1, math.ceil(self.num_train_epochs * self.steps_per_epoch(rows)))

    def steps_per_epoch(self, rows: int) -> int:
        """Optimizer steps an epoch; the last may have fewer rows."""
        return math.ceil(rows / self.rows_per_step)

    @property
    def rows_per_step(self) -> int:
        """Rows that one optimizer step learns from, those of all processes."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * self.world_size


PRESETS: Mapping[str, Mapping[str, object]] = {
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


def make_config(options: Mapping[str, object], *, preset: str | None = None) -> TrainConfig:
    """A preset (by default the model's own) with the given options on top.

    Raises:
        ConfigError: an unknown preset, or a value that makes no sense.
    """
    preset = preset or preset_for(str(options.get("model", TrainConfig().model)))
    if preset not in PRESETS:
        raise ConfigError(f"{preset!r} is not a preset", where="preset", fix=f"Give one of {', '.join(PRESETS)}.")
    return TrainConfig(**{**PRESETS[preset], **options})


def to_dict(config: TrainConfig) -> dict[str, object]:
    """All options by name, for JSON."""
    return dataclasses.asdict(config)
