"""A record of a run as tab 2 would show it: its data, template and mask, and the record as the batch's first row."""

from ift.masks import TRAIN_ON, parse_trained
from ift.roles import Role
from ift.runs.folder import Run
from playground.lens.state import View


def lens_view(run: Run, record: int) -> View:
    """The switches of tab 2. A set of roles without a name is shown as the named one that is nearest.

    Raises:
        RunError: the run's config can't be read.
    """
    config = run.config
    trained = parse_trained(config.options.train_on)
    mask = min(TRAIN_ON, key=lambda name: len(TRAIN_ON[name] ^ (trained - {Role.PAD} | {Role.EOS})))
    return View(
        data=config.options.data,
        template=config.template.source,
        mask=mask,
        keep_eos=Role.EOS in trained,
        train_padding=Role.PAD in trained,
        max_length=config.options.max_length or 0,
        first=record,
    )
