"""Scores, against cases worked out by hand and against the libraries that define them."""

import random

import pytest
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize
from sacrebleu import sentence_chrf

from ift.evaluation.intervals import mean, paired_interval
from ift.evaluation.metrics import HABITS, METRICS, chrf, exact_match, passes, rouge_l, score, token_f1, unscored
from ift.evaluation.words import normalize, rouge_words
from ift.types import Check, Example

EXAMPLE = Example("x", "", "y")

TEXTS = [
    ("The cat sat on the mat.", "the cat sat on a mat"),
    ("A quick brown fox", "the fox is quick and brown"),
    ("", "something"),
    ("It's 3.5-fold, isn't it? snake_case C++", "It is 35 fold; snake case C"),
]
IN_OTHER_SCRIPTS = [
    "北京是中国的首都。",
    "القاهرة هي عاصمة مصر.",
    "Киев — город на Днепре.",
    "दिल्ली भारत की राजधानी है।",
    "東京は日本の首都です",
    "กรุงเทพฯ เป็นเมืองหลวง",
    "서울은 한국의 수도이다.",
    "😀🎉",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cat!", "cat"),
        ("a  the\tcat", "cat"),
        ("Plan A", "plan a"),
        ("theatre, another", "theatre another"),
        ("it's", "its"),
        ("well-known", "wellknown"),
        ("«Ça»", "ça"),
        ("−5", "-5"),
        ("1,000,000", "1000000"),
        ("3,5", "3,5"),
        ("(1, 2)", "1 2"),
        ("10-20", "10-20"),
        ("COVID-19", "covid19"),
        ("**Paris**", "paris"),
        ("你好。", "你好"),
    ],
)
def test_normalization_is_squads_but_for_what_carries_meaning(text, expected):
    assert normalize(text) == expected


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("The Eiffel Tower.", "eiffel tower", 1.0),
        ("Eiffel", "Eiffel Tower", 0.0),
        ("", "", 1.0),
        ("the", "", 0.0),
        ("4", "4, of course", 0.0),
    ],
)
def test_exact_match_is_on_the_whole_normalized_answer(answer, expected, value):
    assert exact_match(answer, expected) == value


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("5", "-5"),
        ("35", "3.5"),
        ("5", ".5"),
        ("5", "5%"),
        ("12", "1/2"),
        ("330", "3:30"),
        ("23", "2^3"),
        ("", "A"),
        ("The", "A"),
        ("+", "-"),
        ("!", "?"),
        ("C", "C++"),
        ("C", "C#"),
        ("NET", ".NET"),
        ("A", "A-"),
        ("<", ">"),
        ("x = y", "x - y"),
        ("x y", "x - y"),
        ("x = y", "x != y"),
        ("Vitamin", "Vitamin A"),
    ],
)
def test_texts_that_mean_something_else_are_no_exact_match(answer, expected):
    assert exact_match(answer, expected) == exact_match(expected, answer) == 0
    assert exact_match(expected, expected) == token_f1(expected, expected) == 1
    assert token_f1(answer, expected) < 1


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("red green", "green blue", 0.5),  # precision 1/2, recall 1/2
        ("a red car", "the red car is fast", 2 * 1 * 0.5 / 1.5),  # 2 of 2 words, 2 of 4 wanted
        ("yes yes yes", "yes", 0.5),  # precision 1/3, recall 1
        ("car red", "red car", 1.0),
        ("red", "blue", 0.0),
        ("", "the", 0.0),
        ("", "", 1.0),
        ("", "red", 0.0),
        ("red", "", 0.0),
    ],
)
def test_token_f1_is_over_shared_words_counted_once_each(answer, expected, value):
    assert token_f1(answer, expected) == pytest.approx(value)


@pytest.mark.parametrize(("answer", "expected"), TEXTS)
def test_rouge_l_is_the_packages_own(answer, expected):
    own = RougeScorer(["rougeL"], use_stemmer=False).score(target=expected, prediction=answer)["rougeL"].fmeasure
    assert rouge_l(answer, expected) == own


@pytest.mark.parametrize("text", IN_OTHER_SCRIPTS)
def test_the_same_text_in_any_script_scores_one_and_a_part_of_it_less(text):
    assert [rouge_l(text, text), token_f1(text, text), exact_match(text, text)] == [1, 1, 1]
    half = text[: len(text) // 2]
    assert 0 < rouge_l(half, text) < 1
    assert rouge_l(half, text) > rouge_l("something else", text) == 0


def test_the_words_of_ascii_are_the_packages_own():
    rng = random.Random(0)
    for _ in range(500):
        text = "".join(chr(rng.randrange(128)) for _ in range(rng.randrange(60)))
        assert rouge_words(text) == tokenize(text, stemmer=None)


def test_rouge_l_follows_the_order_of_words():
    assert rouge_l("one two three", "three two one") == pytest.approx(1 / 3)


@pytest.mark.parametrize(("answer", "expected"), TEXTS)
def test_chrf_is_the_packages_own_on_a_scale_of_one(answer, expected):
    assert chrf(answer, expected) == pytest.approx(sentence_chrf(answer, [expected]).score / 100)


def test_a_perfect_answer_scores_one_everywhere():
    assert [s.value for s in score("Paris is big.", Example("a", "", "Paris is big."))] == pytest.approx(
        [*[1.0] * len(METRICS), 0.0, 0.0]  # and nothing leaks or repeats itself
    )


def test_every_metric_gives_one_score_with_or_without_an_answer():
    assert [s.by for s in score("x", EXAMPLE)] == [s.by for s in unscored("too long", EXAMPLE)] == [*METRICS, *HABITS]
    assert {(s.value, s.reason) for s in unscored("too long", EXAMPLE)} == {(None, "too long")}


def test_a_mean_leaves_out_what_is_not_there():
    assert mean([1.0, None, 0.0]) == 0.5
    assert mean([None, None]) is None
    assert mean([]) is None


def test_the_interval_is_deterministic_and_holds_the_mean_gain():
    before, after = [0.0, 0.0, 1.0, 0.5], [1.0, 0.5, 1.0, 0.5]
    low, high = paired_interval(before, after)
    assert (low, high) == paired_interval(before, after)
    assert 0 <= low < 0.375 < high <= 1


def test_the_interval_is_of_differences_not_of_levels():
    assert paired_interval([0.0, 0.5, 0.25], [0.5, 1.0, 0.75]) == (0.5, 0.5)


def test_a_pair_with_a_missing_side_does_not_count():
    assert paired_interval([0.0, None, 0.0], [1.0, 1.0, None]) == (1.0, 1.0)


@pytest.mark.parametrize(("before", "after"), [([], []), ([None], [1.0]), ([1.0], [None])])
def test_no_pair_no_interval(before, after):
    assert paired_interval(before, after) is None


def test_columns_of_unequal_length_are_a_fault_not_a_number():
    with pytest.raises(ValueError, match="zip"):
        paired_interval([1.0], [1.0, 0.0])


@pytest.mark.parametrize(
    ("answer", "is_met"),
    [
        ("Three fruits are apple, pear and plum.", True),
        ("Apple. Pear! PLUM?", True),
        ("Three fruits are apple, apple and plum.", False),
        ("Three fruits are pineapple, pear and plum.", False),
        ("", False),
    ],
)
def test_a_list_is_right_where_it_names_so_many_different_members(answer, is_met):
    assert passes(answer, Check(("apple", "pear", "plum", "fig"), at_least=3)) == is_met


def test_a_longer_name_does_not_count_as_the_shorter_one_in_it():
    check = Check(("polar bear", "bear"), at_least=2)
    assert passes("A polar bear slept.", check) == 0.0
    assert passes("A polar bear met a bear.", check) == 1.0


def test_a_story_needs_its_sentences():
    check = Check(("fox",), sentences=3)
    assert passes("A fox came. It ate. It left.", check) == 1.0
    assert passes("A fox came. It ate", check) == 0.0
