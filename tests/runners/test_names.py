"""Names in the settings are looked at before the first step, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.runners.names import check_names, load
from surefoot.settings import check
from surefoot.types.errors import ConfigError


def test_every_misspelt_part_and_range_is_told_at_once_with_the_nearest_name(tmp_path: Path):
    values = check(
        {
            "problem": {"metric": "acuracy", "satisfice": {"rcall": 0.9}},
            "train": {"optimizer": "adamm", "schedule": "cosin", "loss": "hubr", "augment": "flipp", "phases": [{"epochs": 1, "optimizer": "sdg"}]},
            "model": {"use": "mpl"},
            "final": {"more": [{"epochs": 1, "schedule": "onecycel"}]},
            "search": {"sampler": "tep", "space": {"train.lrr": {"uniform": [0, 1]}, "train.lr": {"log_uniform": [1.0, 0.1]}}},
        }
    )
    with pytest.raises(ConfigError, match="12 settings are wrong") as caught:
        check_names(values, tmp_path)
    for told in (
        "acuracy",
        "'recall'",
        "'adam'",
        "'cosine'",
        "'huber'",
        "'flip'",
        "train.phases.0.optimizer",
        "final.more.0.schedule",
        "'mlp'",
        "'tpe'",
        "'train.lr'",
        "from 1 to 0.1",
    ):
        assert told in caught.value.what


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ({"schedule": "multistep", "milestones": [0.5, 1.5]}, r"train\.milestones: The schedule is longer than the training: .* at 150% of the steps"),
        ({"schedule": "wsd", "warmup": 0.9}, r"train\.warmup: The schedule is longer than the training: wsd warms up for 90%"),
        ({"warmup": 1.0}, r"train\.warmup: The schedule is longer than the training: its warmup takes 100%"),
        ({"milestones": [0.5]}, r"train\.milestones: no schedule heeds it: onecycle takes none\. .* set train\.schedule to multistep"),
        ({"schedule": "cosine", "gamma": 0.5}, r"train\.gamma: .* step or multistep or exponential"),
        ({"phases": [{"epochs": 1, "optimizer": "gd", "batch_size": 32}]}, r"train\.phases\.0\.batch_size: gd takes the whole train set"),
    ],
)
def test_schedules_and_phases_that_can_not_be_trained_are_told_before_the_first_step(tmp_path: Path, train: dict, told: str):
    with pytest.raises(ConfigError, match=told) as caught:
        check_names(check({"train": train}), tmp_path)
    assert caught.value.where
    assert caught.value.next


def test_an_option_that_a_phase_or_the_search_heeds_passes(tmp_path: Path):
    check_names(check({"train": {"power": 2.0, "phases": [{"epochs": 1, "schedule": "polynomial"}]}}), tmp_path)
    check_names(check({"train": {"milestones": [0.5]}, "search": {"space": {"train.schedule": {"choice": ["cosine", "multistep"]}}}}), tmp_path)
    check_names(check({"train": {"schedule": "mine:own", "gamma": 0.5}}), tmp_path)


def test_right_names_and_the_users_own_parts_pass(tmp_path: Path):
    check_names(check({"train": {"loss": "my_code:loss", "optimizer": "sgd", "augment": "flip"}, "model": {"use": "not_yet:Written"}}), tmp_path)


def test_file_overrides_names_and_device_are_told_in_one_list(tmp_path: Path):
    (tmp_path / "surefoot.toml").write_text('[train]\nlrr = 1.0\noptimizer = "adamm"\n')
    with pytest.raises(ConfigError, match="5 settings are wrong") as caught:
        load(tmp_path, ["train.schedule=cosin", "device=cuda:99", "split.trian=0.5"])
    for told in ("train.lrr", "'adam'", "'cosine'", "device: There is no device 'cuda:99' here", "split.train"):
        assert told in caught.value.what


def test_a_device_that_is_not_there_is_told_before_the_first_step(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"There is no device 'gpu' here\. Use device = 'auto'"):
        check_names(check({"device": "gpu"}), tmp_path)
