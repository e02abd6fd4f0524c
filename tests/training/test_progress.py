"""How far a training has come."""

import json
from dataclasses import asdict

from ift.training.progress import Progress


def walked(*losses):
    """Progress after an evaluation with each loss, a step apart, from step 0 on."""
    progress = Progress().evaluated(losses[0])
    for loss in losses[1:]:
        progress = progress.stepped().evaluated(loss)
    return progress


def test_the_best_is_the_evaluation_with_the_least_loss_and_the_first_of_equals():
    progress = walked(9.0, 3.0, 2.0, 2.0, 2.5)
    assert (progress.step, progress.best_step, progress.best_loss, progress.stale) == (4, 2, 2.0, 2)
    assert not progress.is_best
    assert walked(9.0, 3.0, 2.0).is_best


def test_the_model_before_training_is_never_the_best():
    progress = walked(1.0, 3.0, 4.0)
    assert (progress.best_step, progress.stale) == (1, 1)


def test_a_loss_counts_only_at_its_own_step():
    progress = walked(9.0, 3.0)
    assert progress.loss_here == 3.0
    assert progress.stepped().loss_here is None


def test_without_validation_rows_nothing_is_best_and_nothing_goes_stale():
    progress = walked(None, None, None)
    assert (progress.best_step, progress.stale, progress.loss_here) == (None, 0, None)
    assert progress.evaluated_step == 2


def test_it_survives_json():
    progress = walked(9.0, 3.0, 4.0)
    assert Progress(**json.loads(json.dumps(asdict(progress)))) == progress
