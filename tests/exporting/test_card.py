"""The model card says what was measured, and what was not."""

import pytest

from surefoot.data import preprocess
from surefoot.exporting import bundle
from surefoot.exporting.card import Evidence, escape, model_card
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.data_reports import AuditReport, RefusedItem, Split
from surefoot.types.findings import Finding, Measured
from surefoot.types.reports import DiagnoseReport, FinalReport, ModelScore, Opening, PhaseRecord, TestReport, Trial, TuneReport

from . import samples

WARNING = Finding(code="data.duplicates", severity="warn", what="12 items occur twice | <b>")
NOTE = Finding(code="data.odd_size", severity="info", what="a trifle")


def make_evidence(**changes):
    val = ModelScore(value=0.91, interval=(0.88, 0.94), n=400)
    tune = TuneReport(
        winner="net",
        val=val,
        net=val,
        weights=(),
        model=ModelConfig(),
        train=TrainConfig(lr=0.01, batch_size=64),
        epochs=7,
        best_epoch=7,
        temperature=1.25,
        looks=9,
        trials=(Trial(number=0, settings={}, rung=0, epochs=1, value=0.9),),
        findings=(Finding(code="search.within_noise", severity="warn", what="the second is as good"),),
    )
    facts = {
        "problem": samples.make_problem(goal=0.95),
        "audit": AuditReport(fingerprint="", num_items=2010, num_usable=2000, index="", balance={"no": 1500, "yes": 500}, findings=(WARNING, NOTE)),
        "split": Split(sets="", protocol="holdout", folds=1, by="stratified", counts={"train": 1200, "val": 400, "test": 400}),
        "tune": tune,
        "diagnose": DiagnoseReport(
            errors={},
            gaps={"bias": Measured(value=0.06, interval=(0.02, 0.1))},
            verdict="bias",
            unit="points of accuracy",
            ece=0.021,
            ece_interval=(0.01, 0.03),
            per_class={"yes": {"precision": 0.8, "recall": 0.7, "support": 90}},
            class_intervals={"yes": {"precision": (0.74, 0.85), "recall": (0.6, 0.78)}},
        ),
    }
    return Evidence(**{**facts, **changes})


def make_test(openings=1):
    return TestReport(
        metric="accuracy",
        value=0.8975,
        interval=(0.865, 0.925),
        n=400,
        metrics={"roc_auc": 0.961},
        intervals={"accuracy": (0.865, 0.925), "roc_auc": (0.944, 0.975)},
        per_class={"yes": {"precision": 0.85}},
        class_intervals={"yes": {"precision": (0.8, 0.9)}},
        wild=ModelScore(value=0.71, interval=(0.6, 0.8), n=90),
        tuned=ModelScore(value=0.89, n=400),
        slices={"job = clerk": Measured(value=0.8, n=40)},
        openings=tuple(Opening(number=n + 1, round=n + 1, why="a typo" if n else "", when="2025-01-02") for n in range(openings)),
    )


@pytest.fixture
def manifest(table_bundle):
    return bundle.read_manifest(table_bundle)


def section(card, title):
    return card.split(f"## {title}\n")[1].split("\n## ")[0]


def test_without_a_test_the_card_says_so_and_shows_val(manifest):
    card = model_card(make_evidence(), manifest)
    metrics = section(card, "Metrics")
    assert "not opened yet" in metrics
    assert "| val, accuracy, of the tuned model | 0.91 | 0.88 to 0.94 | 400 |" in metrics
    assert "test, accuracy" not in metrics
    assert "| yes | 0.8 [0.74 to 0.85] | 0.7 [0.6 to 0.78] | 90 |" in section(card, "Per class (val)")
    assert "Calibration error on val (ECE): 0.021 [0.01 to 0.03]." in metrics


def test_the_measured_numbers_of_the_test_are_filled_in(manifest):
    card = model_card(make_evidence(test=make_test()), manifest)
    metrics = section(card, "Metrics")
    assert "| **test, accuracy** | **0.8975** | 0.865 to 0.925 | 400 |" in metrics
    for row in (
        "| test, roc_auc | 0.961 | 0.944 to 0.975 | 400 |\n",
        "| wild, accuracy | 0.71 | 0.6 to 0.8 | 90 |",
        "| test, accuracy, of the tuned model | 0.89 |",
        "| test, accuracy, job = clerk | 0.8 |",
    ):
        assert row in metrics
    assert "not opened yet" not in metrics
    assert "opened 1 time." in metrics
    assert "| yes | 0.85 [0.8 to 0.9] |" in section(card, "Per class (test)")


def test_a_second_opening_is_told_with_its_reason(manifest):
    metrics = section(model_card(make_evidence(test=make_test(openings=2)), manifest), "Metrics")
    assert "opened 2 times. Only the first opening was blind." in metrics
    assert "Opening 2, round 2, 2025-01-02: a typo." in metrics


def test_data_training_limits_and_hashes_are_told(manifest):
    final = FinalReport(
        winner="net",
        model="",
        model_config_used=ModelConfig(),
        num_rows=1600,
        start="scratch",
        phases=(PhaseRecord(name="main", epochs=7, lr=0.01, batch_size=64, optimizer="adamw", num_rows=1600),),
    )
    card = model_card(make_evidence(final=final), manifest)
    data = section(card, "Data")
    assert "2,010 items were found, 2,000 are usable" in data
    assert "train 1,200, val 400, test 400; split stratified, holdout with 1 fold." in data
    assert "| no | 1,500 |" in data
    assert "`data.duplicates`: 12 items occur twice \\| &lt;b>" in data
    assert "data.odd_size" not in card
    assert "Phase main: 7 epochs, lr 0.01, batch 64, adamw." in section(card, "Training")
    limits = section(card, "Limits and known problems")
    assert "`search.within_noise`: the second is as good" in limits
    assert "The largest known part of its error is bias (0.06 [0.02 to 0.1] points of accuracy)." in limits
    files = section(card, "Files")
    assert all(f"| `{name}` | `{digest}` |" in files for name, digest in manifest.files.items() if name != bundle.CARD)
    assert bundle.CARD not in files


def test_the_use_is_shown_for_a_table_and_for_pictures(manifest, image_bundle):
    assert "surefoot predict export/ rows.csv" in section(model_card(make_evidence(), manifest), "How to use")
    assert "age, job, member, in any order" in section(model_card(make_evidence(), manifest), "How to use")
    problem = samples.make_problem(kind="image", task="multiclass", classes=("a", "b", "c"), num_outputs=3)
    card = model_card(make_evidence(problem=problem), bundle.read_manifest(image_bundle))
    assert "surefoot predict export/ photo.jpg" in card
    assert "one of several classes" in section(card, "Model details")


def test_a_regression_has_no_classes_in_its_card(number_bundle):
    problem = samples.make_problem(task="regression", target=("total",), classes=(), metric="rmse", log_target=True)
    card = model_card(make_evidence(problem=problem, diagnose=DiagnoseReport(errors={}, gaps={}, verdict="none", unit="")), bundle.read_manifest(number_bundle))
    assert "Classes" not in card
    assert "Per class" not in card
    assert "Trained on a log scale" in card


def test_text_from_data_can_not_become_markup():
    assert escape("a|b\n# c <script>`x`[y](z)*\\") == "a\\|b # c &lt;script>\\`x\\`\\[y\\](z)\\*\\\\"
    card = model_card(
        make_evidence(problem=samples.make_problem(question="Who?\n\n# Owned\n<img src=x>")),
        bundle.describe(samples.make_problem(), kind="net", fields=preprocess.fields(samples.IMAGE_RECIPE), inputs=("image",)),
    )
    assert "\n# Owned" not in card
    assert "<img" not in card


def test_the_card_says_whose_shares_the_probs_of_a_net_with_class_weights_go_by(manifest):
    tune = make_evidence().tune
    weighted = tune.model_copy(update={"train": tune.train.model_copy(update={"class_weights": "balanced"})})
    cards = [model_card(make_evidence(tune=one), manifest) for one in (weighted, tune, weighted.model_copy(update={"winner": "linear"}))]
    assert ["all are as frequent" in card for card in cards] == [True, False, False]


@pytest.mark.parametrize(
    ("task", "both", "due", "not_due"),
    [
        ("binary", False, "multiply each by its class's share", "square"),
        ("binary", True, "multiply each by the square of its class's share", "as frequent"),
        ("multilabel", False, "take p·s / (p·s + (1 - p)·(1 - s))", "divide by their sum"),
    ],
)
def test_the_card_says_how_probs_of_evened_classes_become_chances(manifest, task, both, due, not_due):
    """Labels are independent; and where classes weigh evenly and are drawn evenly too, their shares were undone twice."""
    evidence = make_evidence(problem=samples.make_problem(task=task))
    train = evidence.tune.train.model_copy(update={"class_weights": "balanced", "sampling": "balanced" if both else "plain"})
    training = section(model_card(make_evidence(problem=evidence.problem, tune=evidence.tune.model_copy(update={"train": train})), manifest), "Training")
    assert due in training
    assert not_due not in training


def test_the_bounds_that_came_before_the_metric_are_named(manifest):
    bounded = model_card(make_evidence(problem=samples.make_problem(satisfice={"recall": 0.8})), manifest)
    assert "Chosen and judged by accuracy, among models that miss the fewest bounds of what must suffice (recall 0.8);" in bounded
    assert "Chosen and judged by accuracy;" in model_card(make_evidence(), manifest)


def test_a_card_of_an_untested_model_tells_that_the_test_set_was_opened_for_another(manifest):
    opened = Opening(number=1, round=1, why="first opening", when="2024-01-02")
    said = [model_card(make_evidence(openings=openings), manifest) for openings in ((), (opened,))]
    assert "The test set is not opened yet" in said[0]
    assert "not opened yet" not in said[1]
    assert 'opened before, last in round 1 (2024-01-02), for another model; a second opening (`surefoot test --again "why"`)' in said[1]


def test_a_card_counts_what_was_left_out_without_a_target(manifest):
    refused = (RefusedItem(place="a.png", reason="torn", code="data.corrupt_item"),)
    audit = AuditReport(fingerprint="", num_items=770, num_usable=766, index="", refused=refused)
    said = model_card(make_evidence(audit=audit), manifest)
    assert "770 items were found, 766 are usable, 1 were refused (with reasons in the report), 3 have no target." in said
