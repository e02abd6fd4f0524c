"""What a fine-tuning needs in memory and time on this machine, and the nearest setting that fits. No torch.

What a probe (`ift.training.probe`) measured in a process of its own stands beside what follows from counts of weights.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from ift.config import TrainConfig, to_dict
from ift.errors import InputError, RunError, TrainingError
from ift.json_fields import from_fields

MOMENT_BYTES, GRADIENT_BYTES = 8, 4
"""Of each trained weight: AdamW's two moments, and the gradient, in fp32."""
LORA_RANK = 8
"""Of the LoRA that is advised."""
_LORA = "thin products are trained, the weights stand still"
MIN_LENGTH = 32
"""Shorter rows than that are hardly instructions any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one process measured, for the settings that it was given.

    available_bytes: before the model was there. parameters, trained_parameters, lora_parameters: of the model, of what
    is trained, and of the LoRA that would be advised. rows, width: of the batch that takes the most memory, and its
    longest row. loaded_bytes: held with program, weights and data. peak_bytes: after that batch, forward and backward.
    steps, step_s, evaluations, evaluation_s, start_s: of the whole run. has_stepped: whether `step_s` is of real steps,
    or only of that batch.
    """

    device: str
    threads: int
    bf16: bool
    available_bytes: int
    parameters: int
    trained_parameters: int
    lora_parameters: int
    rows: int
    width: int
    loaded_bytes: int
    peak_bytes: int
    steps: int
    step_s: float
    has_stepped: bool
    evaluations: int
    evaluation_s: float
    start_s: float

    @property
    def batch_bytes(self) -> int:
        """Activations of that batch: all that is above what was loaded and the gradients."""
        return max(0, self.peak_bytes - self.loaded_bytes - GRADIENT_BYTES * self.trained_parameters)

    @property
    def time_s(self) -> float:
        """Of the run, without its saving."""
        return self.start_s + self.steps * self.step_s + self.evaluations * self.evaluation_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Options to change, and the memory that is needed then."""

    options: Mapping[str, int]
    needed_bytes: int
    note: str

    @property
    def text(self) -> str:
        """The options by name."""
        return " and ".join(f"{name} {value}" for name, value in self.options.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """loaded_bytes is measured. batch_bytes, the gradients and activations of the largest batch, are measured, or,
    unless `is_measured`, scaled from a smaller one, where that had no room. moment_bytes is computed. `nearest`: what
    fits, nearest first; empty where all fits.
    """

    probe: Probe
    loaded_bytes: int
    batch_bytes: int
    moment_bytes: int
    nearest: tuple[Setting, ...]
    is_measured: bool

    @property
    def needed_bytes(self) -> int:
        """At the peak."""
        return self.loaded_bytes + self.batch_bytes + self.moment_bytes

    @property
    def fits(self) -> bool:
        """Whether this machine has that much now."""
        return self.needed_bytes <= self.probe.available_bytes

    def to_dict(self) -> dict[str, object]:
        """What `python -m ift estimate --json` prints: the fields, and what follows from them."""
        return {
            "needed_bytes": self.needed_bytes,
            "available_bytes": self.probe.available_bytes,
            "fits": self.fits,
            "time_s": self.probe.time_s,
            **asdict(self),
        }

    @classmethod
    def from_dict(cls, value: object) -> "Estimate":
        """What `to_dict` gave.

        Raises:
            RunError: another program wrote it.
        """
        fix = "Both processes must run the same version of ift."
        return from_fields(cls, value, where="python -m ift estimate --json", fix=fix)


def estimate(config: TrainConfig, *, attached: bool = False) -> Estimate:
    """Probe a configuration; where not even the probe has room, a smaller one, from which the rest is computed.

    `attached`: the probe ends when standard input does.

    Raises:
        IftError: model or data can't be used, or even the smallest setting has no room.
    """
    for probed in _smaller(config):
        probe = _probe(probed, attached=attached)
        if probe:
            return _estimate(config, probed, probe)
    fix = "Choose a smaller model, or a machine with more memory."
    raise RunError("Not even one row with LoRA fits into the memory of this machine", where=config.model, fix=fix)


def _smaller(config: TrainConfig) -> Iterator[TrainConfig]:
    yield config
    if config.per_device_train_batch_size > 1:
        yield replace(config, per_device_train_batch_size=1)
    if not config.r:
        yield replace(config, per_device_train_batch_size=1, r=LORA_RANK)


def _probe(config: TrainConfig, *, attached: bool) -> Probe | None:
    """What a process of its own measures; None if its memory ran out."""
    command = [
        sys.executable,
        "-m",
        "ift.training.probe",
        json.dumps(to_dict(config)),
        *(["--attached"] if attached else []),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=None if attached else subprocess.DEVNULL, check=False)
    try:
        said = json.loads(done.stdout.decode("utf-8").splitlines()[-1])
    except (ValueError, IndexError):
        said = {}
    if "probe" in said:
        return from_fields(Probe, said["probe"], where="python -m ift.training.probe", fix="This is a bug; report it.")
    if "error" in said:
        kind, *parts = said["error"]
        raise {"InputError": InputError}.get(kind, TrainingError)(parts[0], where=parts[1], fix=parts[2])
    if said.get("out_of_memory") or done.returncode < 0:  # the kernel's way is to kill
        return None
    raise RunError("The probe failed", where=config.model, fix="What it printed above tells why.")


def _estimate(config: TrainConfig, probed: TrainConfig, probe: Probe) -> Estimate:
    rows = probe.rows if probed == config else config.per_device_train_batch_size
    activations = probe.batch_bytes * rows // probe.rows
    trained = probe.trained_parameters if config.r == probed.r else probe.parameters
    made = Estimate(
        probe=probe,
        loaded_bytes=probe.loaded_bytes,
        batch_bytes=activations + GRADIENT_BYTES * trained,
        moment_bytes=MOMENT_BYTES * trained,
        nearest=(),
        is_measured=probed == config,
    )
    return made if made.fits else replace(made, nearest=tuple(_nearest(config, made, rows, activations)))


def _nearest(config: TrainConfig, made: Estimate, rows: int, activations: int) -> Iterator[Setting]:
    """Settings that fit: the same step in smaller batches, shorter rows, LoRA. `activations`: of a batch of `rows`."""
    probe, fixed = made.probe, made.needed_bytes - activations
    smaller = _batches(config, fixed, activations / rows, probe.available_bytes)
    if smaller:
        yield smaller
    length = int((probe.available_bytes - fixed) / max(1, activations) * probe.width) // 16 * 16
    if MIN_LENGTH <= length < probe.width:
        needed = fixed + activations * length // probe.width
        yield Setting(options={"max_length": length}, needed_bytes=needed, note="longer rows are cut")
    if not config.r:
        fixed = probe.loaded_bytes + (MOMENT_BYTES + GRADIENT_BYTES) * probe.lora_parameters
        if fixed + activations <= probe.available_bytes:
            yield Setting(options={"r": LORA_RANK}, needed_bytes=fixed + activations, note=_LORA)
        elif smaller := _batches(config, fixed, activations / rows, probe.available_bytes):
            yield replace(smaller, options={"r": LORA_RANK, **smaller.options}, note=_LORA)


def _batches(config: TrainConfig, fixed: int, a_row: float, available: int) -> Setting | None:
    """The largest batch that fits, with as much more accumulation."""
    size = config.per_device_train_batch_size
    for smaller in (size // times for times in range(2, size + 1) if size % times == 0):
        needed = fixed + int(a_row * smaller)
        if needed <= available:
            options = {
                "per_device_train_batch_size": smaller,
                "gradient_accumulation_steps": config.gradient_accumulation_steps * size // smaller,
            }
            return Setting(options=options, needed_bytes=needed, note="the same result, in smaller parts")
    return None


def advice(config: TrainConfig) -> str:
    """What to try where memory ran out and nothing is measured."""
    size, ways = config.per_device_train_batch_size, []
    if size > 1:
        half = size // 2 if size % 2 == 0 else 1
        times = config.gradient_accumulation_steps * size // half
        ways.append(f"per_device_train_batch_size {half} with gradient_accumulation_steps {times} (the same result)")
    ways += ["a lower max_length", "gradient_checkpointing true"]
    ways += [] if config.r else [f"LoRA (r {LORA_RANK})"]
    return f"Try {', '.join(ways[:-1])} or {ways[-1]}; `python -m ift estimate` tells what fits."


def duration(seconds: float) -> str:
    """Seconds for people: `40 seconds`, `14 minutes`, `2.5 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
