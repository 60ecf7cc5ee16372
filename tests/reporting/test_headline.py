"""The headline of a project at every stage of the road."""

from __future__ import annotations

import pytest

from surefoot.reporting.headline import find_advantage, make_headline
from surefoot.reporting.page import set_scene
from surefoot.reporting.views import Scene
from surefoot.types import BaselineReport, Measured, Problem
from surefoot.types.views import StepView

from .pieces import MemoryStore, score
from .samples import image_problem, image_project, image_search, stopped_project
from .table_samples import bikes_project, income_project


def headline(steps: list[StepView]) -> dict[str, str]:
    """Title -> value and note, as plain text."""
    return {tile.title: f"{tile.value} | {tile.note}".replace("\u00a0", " ") for tile in make_headline(set_scene(steps, None), steps)}


def test_a_finished_road_tells_the_published_value_first():
    told = headline(image_project(MemoryStore())[-1].steps)
    assert list(told) == ["Test accuracy", "Beats the baseline on val by", "What holds it back", "Next"]
    assert told["Test accuracy"] == "98.1 % | 95 % interval (96.4 to 99.1 %) on 360 items. The goal of 97.0 % is reached."
    assert told["Beats the baseline on val by"].startswith("2.4 points | Between +0.7 points and +4.1 points.")
    assert told["Next"] == "Turn the pictures a little as well as shifting them | Then <code>surefoot run --from tune</code>"


def test_before_the_test_the_val_value_is_called_by_its_name():
    told = headline(bikes_project()[-1].steps)
    assert told["Val RMSE"] == "49.6 | 95 % interval (46.3 to 52.9), in units of cnt. The test set was not opened in this round."


def test_a_win_within_the_noise_is_called_so():
    assert "Within the noise." in headline(bikes_project()[-1].steps)["Ahead of the baseline on val, within the noise, by"]


def test_a_baseline_that_wins_is_the_winner():
    told = headline(income_project()[-1].steps)
    assert told["The winner is a simple model"].startswith("boosting | The net is 0.013 worse")


def test_a_stop_names_the_cause_and_not_its_symptom():
    told = headline(stopped_project(MemoryStore())[-1].steps)
    assert told["The road stopped at"] == "Sanity | The last layer gives 9 numbers, and there are 10 classes."
    assert told["Next"] == "Mend this first | Leave the last FC without a number, then <code>surefoot run --from sanity</code>."


def test_a_stop_that_was_gone_past_is_no_stop():
    steps = [StepView(step.name, step.report, past="I know better") for step in stopped_project(MemoryStore())[-1].steps]
    assert "The road stopped at" not in headline(steps)


def test_after_the_first_step_the_next_one_is_named():
    assert headline([StepView("s01_problem", image_problem())])["Next"] == "Go on to audit | <code>surefoot run</code>"


@pytest.mark.parametrize(("metric", "net", "best", "better"), [("accuracy", 0.97, 0.95, True), ("accuracy", 0.93, 0.95, False), ("rmse", 49.0, 52.0, True)])
def test_better_is_positive_whatever_the_direction_of_the_metric(metric, net, best, better):
    difference = net - best
    paired = Measured(value=difference, interval=(difference - 0.001, difference + 0.001))
    problem = image_problem().model_copy(update={"metric": metric})
    tune = image_search()[1].model_copy(update={"net": score(net, 0.01), "versus_baseline": paired})
    baseline = BaselineReport(models={"linear": score(best, 0.01)}, best="linear", trivial="linear")
    advantage = find_advantage(Scene({"s01_problem": problem, "s05_baseline": baseline, "s08_tune": tune}))
    assert advantage is not None
    assert (advantage.value > 0) == better
    assert advantage.interval is not None
    assert advantage.interval[0] < advantage.value < advantage.interval[1]


def test_the_baseline_is_told_at_the_threshold_it_was_compared_at():
    """The case of rare positives with costs: the net's cheapest threshold gives 93.5 %, the linear model's 92.2 %, and at 0.5 that one has 98.5 %."""
    lead = Measured(value=0.0133, interval=(-0.003, 0.03), n=600)
    changed = {"winner": "net", "net": score(0.935, 0.02), "val": score(0.935, 0.02), "rival": score(0.9217, 0.02), "versus_baseline": lead}
    models = {"majority": score(0.983, 0.01), "linear": score(0.985, 0.01), "knn": score(0.987, 0.01)}
    baseline = find("s05_baseline").model_copy(update={"models": models, "best": "linear", "trivial": "majority"})
    told = with_steps(s05_baseline=baseline, s08_tune=find("s08_tune").model_copy(update=changed))
    note = told["Ahead of the baseline on val, within the noise, by"]
    assert note.startswith("1.3 points | Between")
    assert note.endswith("The best simple model that could ship, linear, has 92.2 % on val.")


def test_the_direction_of_a_metric_of_ones_own_follows_from_the_baselines():
    problem: Problem = image_problem().model_copy(update={"metric": "my_code:cost"})
    models = {"mean": score(9.0, 1.0), "linear": score(3.0, 1.0)}
    scene = Scene({"s01_problem": problem, "s05_baseline": BaselineReport(models=models, best="linear", trivial="mean")})
    assert scene.metric.smaller_is_better


def with_steps(**reports: object) -> dict[str, str]:
    """The headline of the finished road with some of its reports exchanged."""
    steps = image_project(MemoryStore())[-1].steps
    return headline([StepView(step.name, reports.get(step.name, step.report)) for step in steps])


def find(name: str):
    return next(step.report for step in image_project(MemoryStore())[-1].steps if step.name == name)


def test_a_better_yardstick_that_never_ships_is_named():
    models = {"majority": score(0.1, 0.02), "linear": score(0.958, 0.02), "knn": score(0.983, 0.01)}
    told = with_steps(s05_baseline=find("s05_baseline").model_copy(update={"models": models, "best": "linear", "trivial": "majority"}))
    note = next(text for title, text in told.items() if "baseline" in title)
    assert "could ship, linear, has 95.8 % on val. k-NN, which never ships, has 98.3 %." in note


def test_a_result_that_guessing_could_reach_is_not_green():
    test = find("s13_test").model_copy(update={"value": 0.68, "interval": (0.49, 0.84), "n": 23})
    models = {"majority": score(0.52, 0.1), "linear": score(0.6, 0.1)}
    baseline = find("s05_baseline").model_copy(update={"models": models, "best": "linear", "trivial": "majority"})
    steps = [StepView(s.name, {"s13_test": test, "s05_baseline": baseline}.get(s.name, s.report)) for s in image_project(MemoryStore())[-1].steps]
    tile = make_headline(set_scene(steps, None), steps)[0]
    assert "good" not in tile.tone
    assert "no better than guessing, within its interval" in tile.note


def test_a_result_that_is_surely_below_guessing_is_not_called_level_with_it():
    """Costs chose a threshold of many false alarms: 96.3 % where always saying no has 98.3 %."""
    test = find("s13_test").model_copy(update={"value": 0.963, "interval": (0.945, 0.976), "n": 600})
    models = {"majority": score(0.983, 0.01), "linear": score(0.985, 0.01)}
    baseline = find("s05_baseline").model_copy(update={"models": models, "best": "linear", "trivial": "majority"})
    told = with_steps(s13_test=test, s05_baseline=baseline, s08_tune=find("s08_tune").model_copy(update={"threshold": 0.08}))["Test accuracy"]
    assert "By this metric always saying the same is better, 98.3 % on val: the threshold was chosen to serve something else." in told
    assert "no better than guessing" not in told


def test_a_small_gap_is_told_by_its_size():
    gaps = {"bias": None, "variance": Measured(value=0.008, interval=(0.002, 0.014)), "mismatch": None}
    told = with_steps(s09_diagnose=find("s09_diagnose").model_copy(update={"gaps": gaps, "verdict": "variance"}))
    assert told["What holds it back"] == "Nothing large | The largest gap left is variance: 0.8 points."


def test_a_bias_that_wrong_labels_may_be_all_of_is_told_so():
    gaps = {"bias": Measured(value=0.087, interval=(0.07, 0.105)), "variance": None, "mismatch": None}
    noise = Measured(value=0.096, interval=(0.07, 0.128), n=400)
    told = with_steps(s09_diagnose=find("s09_diagnose").model_copy(update={"gaps": gaps, "verdict": "bias", "label_noise": noise}))
    assert told["What holds it back"].startswith("Wrong labels, it seems | About 9.6% of val's labels look wrong")
