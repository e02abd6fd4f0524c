"""Records that ask the same, by one definition."""

from ift.audit.data_report import data_report
from ift.audit.duplicates import find_duplicates
from ift.audit.statistics import dataset_statistics
from ift.data.records import Dataset
from ift.data.templates import load_template
from ift.masks import TRAIN_ON
from ift.types import Example

EXAMPLES = (
    Example("Add 1", "", "x"),
    Example(" add  1 ", "", "x "),  # the same
    Example("ADD 1", "", "y"),  # in conflict with both
    Example("Add 1", "2", "x"),  # another input
    Example("add 1", "", "y"),  # the same as the one in conflict
)


def test_same_and_conflicting_are_all_repeats():
    found = find_duplicates(EXAMPLES)
    assert (found.same, found.conflicting, found.repeats) == ((1, 4), (2,), (1, 2, 4))


def test_leaks_are_test_records_whose_question_is_trained():
    assert find_duplicates(EXAMPLES, train=(0, 3), test=(2, 4)).leaks == (2, 4)
    assert find_duplicates(EXAMPLES, train=(3,), test=(2, 4)).leaks == ()


def test_both_tabs_and_the_command_agree():
    template = load_template("alpaca")
    report = data_report(Dataset("own", EXAMPLES, sha256=""), template)
    counted = dataset_statistics(EXAMPLES, template, trained=TRAIN_ON["response"], max_length=100, batch_size=2, seed=1)
    assert report.rows_of("repeated-question") == counted.same
    assert report.rows_of("conflicting-answers") == counted.conflicting
