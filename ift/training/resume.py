"""What a checkpoint must hold so that training resumes as if it had never stopped, and the way back.

On the CPU in fp32, with as many threads and the same torch, it resumes bit for bit. What training draws at random,
the order of the rows and dropout's masks, follows from the seed and the step.
"""

from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ift.config import TrainConfig
from ift.errors import ModelError, RunError
from ift.model.gpt2 import GPT2
from ift.model.gpt2_config import GPT2Config
from ift.model.hf_model import read_weights
from ift.model.load_by_name import load_model
from ift.model.lora import add_lora, merged_weight
from ift.model.manifest import OPTIMIZER, has_optimizer, verify_checkpoint
from ift.model.precision import uses_bf16
from ift.runs.folder import Run
from ift.training.adamw import MOMENTS
from ift.training.checkpoint import read_state
from ift.training.progress import Progress
from ift.training.trainer import Trainer


def is_cleared(run: Run) -> bool:
    """Whether training was over already: only the clearing up at its end leaves no checkpoint an optimizer."""
    folders = run.checkpoints()
    return bool(folders) and not any(has_optimizer(folder) for folder in folders)


def find_resumable(run: Run) -> tuple[Path, list[str]]:
    """The newest checkpoint that is whole and can be resumed from, and what is wrong with newer ones.

    Raises:
        RunError: there is none.
    """
    broken = []
    for folder in reversed(run.checkpoints()):
        try:
            verify_checkpoint(folder)
        except ModelError as error:
            broken.append(f"{folder.name} is passed over. {error.what} ({error.where}).")
            continue
        if has_optimizer(folder):
            return folder, broken
    found = " ".join(broken) or "It ended before its first save."
    raise RunError(f"The run has no checkpoint to resume from: {found}", where=str(run.path), fix="Train again.")


def stored_progress(folder: Path) -> Progress:
    """How far a checkpoint had come."""
    return Progress(**read_state(folder)["progress"])


def state_of(trainer: Trainer) -> dict[str, object]:
    """A checkpoint's state.json."""
    return {
        "validation_loss": trainer.progress.loss_here,
        "progress": asdict(trainer.progress),
        "environment": _environment(trainer),
    }


def optimizer_of(trainer: Trainer) -> dict[str, Tensor]:
    """A checkpoint's optimizer.safetensors: the moments of each trained weight, by its name.

    With LoRA also the trained weights: model.safetensors holds only what they come to.
    """
    state = trainer.optimizer.state
    tensors = {f"{moment}.{name}": state[weight][moment] for name, weight in trainer.trained() for moment in MOMENTS}
    if trainer.config.r:
        tensors |= {f"weight.{name}": weight.detach() for name, weight in trainer.trained()}
    return {name: trainer.world.gather(tensor) for name, tensor in tensors.items()}


def whole_model(trainer: Trainer) -> GPT2:
    """The model with all of its weights, where they are spread over ranks: for rank 0; without any for the others."""
    if not trainer.config.fsdp:
        return trainer.model
    state = {name: trainer.world.gather(tensor) for name, tensor in trainer.model.state_dict().items()}
    model = empty_model(trainer.model.config, trainer.config)
    if trainer.world.rank == 0:
        model.load_state_dict(state, assign=True)
    return model


def model_for(config: TrainConfig, folder: Path | None, *, device: torch.device | None = None) -> GPT2:
    """The model that training begins with, or resumes with from a checkpoint's folder; with LoRA where asked for.

    Raises:
        ModelError: it can't be read, or is no longer the one that the run's LoRA was trained beside.
    """
    model = load_model(config.model if config.r or not folder else str(folder), device=device)
    adapt(model, config)
    if config.r and folder:
        _restore_lora(model, config, folder)
    return model


def empty_model(shape: GPT2Config, config: TrainConfig) -> GPT2:
    """The same without any weights, to be given some."""
    with torch.device("meta"):
        model = GPT2(shape)
    adapt(model, config)
    return model


def adapt(model: GPT2, config: TrainConfig) -> None:
    """Add the LoRA that a run asks for, if it does."""
    if config.r:
        add_lora(
            model,
            r=config.r,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            layers=config.adapted,
            seed=config.seed,
        )


@torch.no_grad()
def _restore_lora(model: GPT2, config: TrainConfig, folder: Path) -> None:
    tensors = load_file(folder / OPTIMIZER)
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            weight.copy_(tensors[f"weight.{name}"])
    saved = read_weights(folder, model.config)  # one after the other: a model is large
    if not all(torch.allclose(merged_weight(model, name).cpu(), tensor, atol=1e-5) for name, tensor in saved):
        fix = "Put the old model back, or train again."
        raise ModelError("The base model has changed since this run was made", where=config.model, fix=fix)


def restore_optimizer(trainer: Trainer, folder: Path | None) -> None:
    """Give the trainer the optimizer of the checkpoint that its model and progress are from; rank 0 has its folder."""
    tensors = load_file(folder / OPTIMIZER) if folder else {}
    distribute = trainer.world.distribute
    moments = (
        {moment: distribute(tensors.get(f"{moment}.{name}"), weight) for moment in MOMENTS}
        for name, weight in trainer.trained()
    )
    trainer.optimizer.restore(trainer.step, moments)


def differences(trainer: Trainer, folder: Path) -> str:
    """In what this process differs from the one that saved; empty when it will resume bit for bit."""
    now = _environment(trainer)
    then = {"processes": 1, "instructions": now["instructions"], **read_state(folder)["environment"]}
    changed = [f"{name} {now[name]} instead of {then.get(name)}" for name in now if now[name] != then.get(name)]
    if now["device"] != "cpu":
        changed.append(f"on {now['device']} sums are made in no fixed order")
    return ", ".join(changed)


def _environment(trainer: Trainer) -> dict[str, object]:
    """What the last bits of a result depend on."""
    device = trainer.model.device
    return {
        "torch": torch.__version__,
        "device": device.type,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "processes": trainer.world.size,
        "bf16": uses_bf16(device, bf16=trainer.config.bf16),
    }
