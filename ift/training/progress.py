"""How far a training has come, apart from weights and optimizer; a checkpoint holds it as JSON. No torch."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The steps done and what the evaluations said.

    The order of the rows follows from seed and step, so that the step is the position in the data, too.

    step: optimizer steps. evaluated_step: of the last evaluation, -1 before the first. validation_loss: what it
    found, in nats; None without validation rows. best_step, best_loss: the evaluation with the least loss; that
    of step 0, before training, is none of them. stale: evaluations since then.
    """

    step: int = 0
    evaluated_step: int = -1
    validation_loss: float | None = None
    best_step: int | None = None
    best_loss: float | None = None
    stale: int = 0

    @property
    def loss_here(self) -> float | None:
        """The validation loss of this very step, where there is one."""
        return self.validation_loss if self.evaluated_step == self.step else None

    @property
    def is_best(self) -> bool:
        """Whether no step had a lower validation loss than this one."""
        return self.step == self.best_step

    def stepped(self) -> "Progress":
        """One optimizer step on."""
        return replace(self, step=self.step + 1)

    def evaluated(self, loss: float | None) -> "Progress":
        """After an evaluation at this step."""
        now = replace(self, evaluated_step=self.step, validation_loss=loss)
        if loss is None or self.step == 0:
            return now
        if self.best_loss is None or loss < self.best_loss:
            return replace(now, best_step=self.step, best_loss=loss, stale=0)
        return replace(now, stale=self.stale + 1)
