"""What a person answers, and what becomes of answers that were given to another question."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.analysis.human import human_error, keep_fitting, parse_answer, to_predictions
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.problem import Problem

IDS = np.array([f"i{n}" for n in range(12)], dtype=object)


def ask(task="multiclass", classes=("cat", "dog", "cow"), num_outputs=3):
    return Problem(question="", kind="image", task=task, target=("t",), classes=classes, metric="accuracy", head="", loss="", num_outputs=num_outputs)


AMOUNT = ask("regression", (), 1)
LABELS = ask("multilabel")


@pytest.mark.parametrize(
    ("problem", "text", "kept"),
    [
        (ask(), " Dog ", "dog"), (ask(), "d", "dog"), (ask(), "2", "dog"), (ask(), "?", "?"), (AMOUNT, "12", "12"), (AMOUNT, "1.50", "1.5"),
        (LABELS, "cow, cat", "cow,cat"), (LABELS, "none", ""), (ask(classes=("3", "4", "8")), "4", "4"), (ask(classes=("1st", "2nd")), "2", "2nd"),
    ],
)  # fmt: skip
def test_an_answer_is_a_class_by_name_beginning_or_place_or_a_number(problem, text, kept):
    assert parse_answer(problem, text) == kept


@pytest.mark.parametrize(
    ("problem", "text"),
    [(ask(), "c"), (ask(), "4"), (ask(), "0"), (AMOUNT, "many"), (AMOUNT, "1,2"), (AMOUNT, "nan"), (LABELS, "cat,horse")],
)
def test_what_is_no_answer_is_asked_again(problem, text):
    with pytest.raises(UsageError, match="is no"):
        parse_answer(problem, text)


@pytest.mark.parametrize(("classes", "text"), [(("3", "4", "5", "6", "7", "8"), "2"), (("10", "20", "30"), "1"), (("0.5", "1.5"), "2"), (("-1", "other"), "1")])
def test_where_classes_are_named_by_numbers_a_number_names_and_never_counts(classes, text):
    with pytest.raises(UsageError, match="is no class"):
        parse_answer(ask(classes=classes), text)


def test_of_classes_that_differ_in_capitals_alone_each_is_meant_as_it_is_written():
    asked = ask(classes=("a", "A", "Bee"))
    assert [parse_answer(asked, text) for text in ("a", "A", "bee")] == ["a", "A", "Bee"]
    with pytest.raises(UsageError, match="'OX' is no class"):
        parse_answer(ask(classes=("ox", "Ox", "cow")), "OX")


def test_a_class_called_by_the_question_mark_can_be_said_and_who_cannot_tell_writes_a_colon():
    asked = ask(classes=("cat", "?"), num_outputs=2)
    assert [parse_answer(asked, text) for text in ("?", ":?", "c")] == ["?", ":?", "cat"]
    answers = {"i0": "?", "i1": ":?", "i2": "cat"}
    assert keep_fitting(asked, answers) == answers
    assert keep_fitting(ask(), answers) == {"i0": "?", "i2": "cat"}
    assert to_predictions(asked, answers, IDS, np.array([1] * 12)).outputs.tolist() == [[0, 1], [1, 0], [1, 0]]
    with pytest.raises(UsageError, match="is no class") as caught:
        parse_answer(asked, "dog")
    assert caught.value.next.endswith("or give :?.")


def val(targets):
    targets = np.asarray(targets)
    return Predictions(IDS, np.zeros((len(targets), 3)), targets)


@pytest.mark.parametrize(
    ("problem", "targets", "answers", "kept"),
    [
        (ask(), [0] * 12, {"i0": "cat", "i1": "kitten", "i2": "?", "i3": "12.5"}, {"i0", "i2"}),
        (AMOUNT, [[1.0]] * 12, {"i0": "cat", "i1": "3", "i2": "?", "i3": "1,2"}, {"i1", "i2"}),
        (LABELS, [[1, 0, 0]] * 12, {"i0": "cat,dog", "i1": "", "i2": "cat,kitten", "i3": "?"}, {"i0", "i1", "i3"}),
    ],
)
def test_answers_to_another_question_are_left_out(problem, targets, answers, kept):
    """After a class was renamed, or the task changed."""
    assert set(keep_fitting(problem, answers)) == kept
    said = to_predictions(problem, answers, IDS, np.asarray(targets))
    assert set(said.ids) == kept
    assert len(said.outputs) == len(kept)


def test_answers_of_which_none_fits_say_nothing():
    answers = {str(id): "kitten" for id in IDS}
    assert human_error(ask(), metrics.get("accuracy"), answers, val([0] * 12), seed=0) is None


def test_the_error_of_a_person_is_that_of_a_model_and_not_knowing_is_wrong():
    answers = {str(id): "cat" for id in IDS} | {"i0": "?", "i1": "dog"}
    measured = human_error(ask(), metrics.get("accuracy"), answers, val([0] * 12), seed=0)
    assert (measured.value, measured.n) == (pytest.approx(2 / 12), 12)
    assert human_error(ask(), metrics.get("accuracy"), dict(list(answers.items())[:9]), val([0] * 12), seed=0) is None
    assert human_error(ask(), metrics.get("log_loss"), answers, val([0] * 12), seed=0) is None


def test_who_cannot_tell_an_amount_says_the_usual_one():
    """House prices lie far from 0: an error of half a million would say nothing about the person."""
    prices = np.linspace(400_000, 600_000, 12)[:, None]
    answers = {str(id): f"{price[0]:g}" for id, price in zip(IDS, prices)} | {"i0": "?"}
    said = to_predictions(AMOUNT, answers, IDS, prices)
    assert said.outputs[0, 0] == pytest.approx(500_000)
    measured = human_error(AMOUNT, metrics.get("mae"), answers, Predictions(IDS, np.zeros((12, 1)), prices), seed=0)
    assert measured.value == pytest.approx(100_000 / 12, rel=1e-3)
