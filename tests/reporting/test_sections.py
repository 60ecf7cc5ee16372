"""The section of each report: it shows what the report knows, and only that."""

from __future__ import annotations

import inspect

import pytest

from surefoot.reporting.notebook import STEPS
from surefoot.reporting.page import set_scene
from surefoot.reporting.road import ROAD
from surefoot.reporting.sections import show_report
from surefoot.reporting.sections.curves import show_history
from surefoot.reporting.sections.final import join_phases
from surefoot.reporting.views import Scene
from surefoot.types import AuditReport, DiagnoseReport, ModelConfig, Report, TrainConfig, TuneReport, data_reports, error_reports, reports
from surefoot.types.problem import Problem
from surefoot.types.views import StepView

from .pieces import MemoryStore
from .samples import image_final, image_project, image_reports, image_search
from .table_samples import bikes_project, income_project


def show(steps: list[StepView], name: str, store: MemoryStore | None = None, with_items: bool = True) -> str:
    """A section as text."""
    scene = set_scene(steps, store, with_items)
    return str(show_report(scene.reports[name], scene)).replace("\u00a0", " ")


def test_every_kind_of_report_has_its_section_and_its_step():
    found = [kind for module in (data_reports, error_reports, reports) for _, kind in inspect.getmembers(module, inspect.isclass)]
    kinds = {kind for kind in found if issubclass(kind, Report) and kind is not Report}
    kinds |= {Problem}
    assert kinds == set(STEPS)
    assert list(STEPS.values()) == list(ROAD)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("s01_problem", ["accuracy: the share of items that are predicted right", "softmax: one prob per class", "The folders have ten names", "98.5 %"]),
        ("s02_audit", ["1,797 (99.9 %)", "Class balance", "178 (10 %)", "32 × 32", "the file ends too soon"]),
        ("s03_split", ["hold-out: one val set", "differences above 2.1 points", "train: 1,077"]),
        ("s04_prepare", ["1 × 32 × 32", "A look at the items", "data:image/png"]),
        ("s05_baseline", ["95.4 % (93.2 to 97.6 %)", "goal 97.0 %", "log loss"]),
        ("s06_sanity", ["6 of 6 checks hold", "Gradients agree", "2.303 ± 10 %", "Trial runs"]),
        ("s07_overfit", ["The ladder of models", "53,706", "width 32, depth 2", "yes: longer training", "The learning rate, tested", "0.028"]),
        ("s08_tune", ["97.8 % (96.4 to 99.2 %)", "Search history", "Which settings did well", "20 trials", "train.augment", "Learning rate"]),
        ("s09_diagnose", ["(variance)", "What more data would bring", "Confusion", "Reliability", "ROC", "Precision and recall", "up to 1.1 points"]),
        (
            "s10_errors",
            ["8 of 360 val items wrong (2.2 %)", "The worst errors", "looks like a 5", "Suspected mislabels", "errors.csv", "1.4 %", "put right at most"],
        ),
        ("s11_final", ["cool down", "What the first layer looks for", "kernel 16 of the first layer", "Gradient"]),
        ("s12_export", ["model.onnx", "largest difference", "3.1e−6", "431 KB"]),
        ("s13_test", ["98.1 % (96.4 to 99.1 %)", "tuned, on val", "final, on wild", "the end of the road", "dark"]),
        ("s14_serve", ["4.2 ms", "712 requests per second", "surefoot serve export"]),
    ],
)
def test_a_picture_project_shows(name, texts):
    store = MemoryStore()
    shown = show(image_project(store)[-1].steps, name, store)
    assert not [text for text in texts if text not in shown]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("s02_audit", ["The target: cnt", "hours per week", "occupation", "Missing values", "20 refused items"]),
        ("s03_split", ["K-fold: each item is val once (5 folds)", "train on the past"]),
        ("s04_prepare", ["Folds", "576", "Ranges after preparing"]),
        ("s05_baseline", ["52.3 (48.9 to 55.7)", "goal 45"]),
        ("s09_diagnose", ["Predicted against true", "true minus predicted", "only an upper bound", ">RMSE<", "6.5"]),
        ("s10_errors", ["off by (standard deviations)", "bike.csv:60"]),
    ],
)
def test_a_regression_shows(name, texts):
    shown = show(bikes_project()[-1].steps, name)
    assert not [text for text in texts if text not in shown]


def test_a_regression_has_no_charts_of_classes():
    shown = show(bikes_project()[-1].steps, "s09_diagnose")
    assert not [text for text in ("Confusion", "ROC", "Reliability", "Per class") if text in shown]


def test_without_a_range_test_no_curve_of_it_is_drawn():
    assert "The learning rate, tested" not in show(income_project()[-1].steps, "s07_overfit")


def test_a_ladder_of_one_rung_is_a_table_and_no_chart():
    overfit = image_search()[0]
    one = overfit.model_copy(update={"ladder": overfit.ladder[2:3], "chosen": 0, "lr_range": None})
    shown = show_report(one, Scene({"s07_overfit": one}))
    assert "One model was trained, so there is no curve to draw." in shown
    assert "Train and val by model size" not in shown


def test_epochs_that_are_parts_of_one_can_be_read_off_the_axis():
    tune = image_search()[1]
    short = [tune.history[0].model_copy(update={"epoch": epoch}) for epoch in (1.0, 1.7)]
    shown = show_history(short, Scene().metric)
    assert ">1.4<" in shown


def test_a_loss_that_was_made_harder_on_train_is_told_apart_from_variance():
    tune = image_search()[1]
    assert "Train is made harder by augmentation and dropout, val is not" in show_report(tune, Scene({"s08_tune": tune}))
    plain = tune.model_copy(update={"model": ModelConfig(width=32), "train": TrainConfig(augment="none")})
    assert "made harder" not in show_report(plain, Scene({"s08_tune": plain}))


def test_the_rule_of_early_stopping_is_stated_and_whether_it_was_needed():
    tune = image_search()[1]
    ended = tune.history[-1].epoch
    shown = {}
    for epochs in (ended, ended + 5):
        stopped = tune.model_copy(update={"train": tune.train.model_copy(update={"patience": 3, "epochs": epochs})})
        shown[epochs] = show_report(stopped, Scene({"s08_tune": stopped})).replace("\u00a0", " ")
    assert "when 3 looks at val in a row bring nothing better; not needed: training came to its end" in shown[ended]
    assert f"when 3 looks at val in a row bring nothing better; after {ended:g} epochs" in shown[ended + 5]
    assert "Early stopping" not in show_report(tune, Scene({"s08_tune": tune}))


def test_a_baseline_that_won_is_told_apart_from_the_net():
    shown = show(income_project()[-1].steps, "s08_tune")
    assert "boosting, a baseline" in shown
    assert "0.915 (0.908 to 0.922)" in shown


def test_the_baselines_stand_best_first_whichever_way_the_metric_goes():
    regression, binary = show(bikes_project()[-1].steps, "s05_baseline"), show(income_project()[-1].steps, "s05_baseline")
    assert regression.index("boosting") < regression.index("linear") < regression.index("mean")
    assert binary.index("boosting") < binary.index("linear") < binary.index("majority")


def test_without_items_no_row_picture_or_value_of_the_data_is_shown():
    store = MemoryStore()
    steps = image_project(store)[-1].steps
    assert "data:image" not in show(steps, "s04_prepare", store, with_items=False)
    assert "photos/" not in show(steps, "s02_audit", store, with_items=False)
    assert "data.corrupt_item" in show(steps, "s02_audit", store, with_items=False), "how many were refused, and why, is no item"
    assert "Craft-repair" not in show(income_project()[-1].steps, "s02_audit", with_items=False) + show(
        income_project()[-1].steps, "s04_prepare", with_items=False
    )
    errors = show(steps, "s10_errors", store, with_items=False)
    assert "blurry" in errors
    assert "data:image" not in errors
    assert "looks like a 5" not in errors


def test_pictures_that_were_cleaned_away_are_said_to_be_gone():
    steps = image_project(MemoryStore())[-1].steps
    assert "no longer in the store" in show(steps, "s04_prepare", MemoryStore())


def test_the_epochs_of_later_phases_are_counted_on():
    records = join_phases(image_final(MemoryStore()))
    assert [record.epoch for record in records] == list(range(1, 21))


def test_settings_at_their_defaults_are_not_repeated():
    tune = image_search()[1].model_copy(update={"model": ModelConfig(width=32)})
    shown = show_report(tune, Scene({"s08_tune": tune}))
    assert "model.width" in shown
    assert "model.depth" not in shown
    assert "train.momentum" not in shown


def test_a_report_of_ones_own_shows_its_plain_numbers():
    class Fairness(Report):
        largest_gap: float
        between: str

    shown = show_report(Fairness(largest_gap=0.031, between="<a> and b"), Scene())
    assert "Largest gap" in shown
    assert "0.031" in shown
    assert "&lt;a&gt; and b" in shown


@pytest.mark.parametrize(
    "report",
    [
        AuditReport(fingerprint="", num_items=0, num_usable=0, index=""),
        DiagnoseReport(errors={}, gaps={}, verdict="none", unit="error"),
        image_reports(MemoryStore())["s05_baseline"].model_copy(update={"models": {}}),
        image_search()[0].model_copy(update={"ladder": (), "chosen": 0}),
        image_search()[1].model_copy(update={"trials": (), "history": ()}),
        image_reports(MemoryStore())["s06_sanity"].model_copy(update={"checks": (), "curves": {}}),
    ],
    ids=lambda report: type(report).__name__,
)
def test_a_report_with_nothing_in_it_is_still_drawn(report):
    assert "None" not in show_report(report, Scene({"s00": report}))


def test_failed_trials_are_listed_last_and_not_drawn():
    tune: TuneReport = image_search()[1]
    shown = show_report(tune, Scene({"s08_tune": tune}))
    assert shown.count('class="dot') == len([trial for trial in tune.trials if trial.value is not None])
    assert shown.rindex("failed") > shown.rindex("done")
