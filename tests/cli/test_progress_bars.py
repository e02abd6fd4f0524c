"""What the command line says while a run goes on."""

from ift.cli.progress_bars import show_training
from ift.events import Finished, Preparing, to_json
from ift.runs.stop import Stop


def test_machines_are_told_how_many_rows_are_made(capsys, tmp_path):
    events = [Preparing(step=0, done=2048, total=3000), Preparing(step=0, done=3000, total=3000), Finished(step=9)]
    assert show_training(iter(events), folder=tmp_path, as_json=True, stop=Stop(None)) == 0
    assert capsys.readouterr().out.splitlines() == [to_json(event) for event in events]


def test_people_get_the_folder_alone_on_standard_output(capsys, tmp_path):
    show_training(
        iter([Preparing(step=0, done=2048, total=3000), Finished(step=9)]),
        folder=tmp_path,
        as_json=False,
        stop=Stop(None),
    )
    assert capsys.readouterr().out.splitlines() == [str(tmp_path)]
