"""Names in the settings are looked at before the first step, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.runners.names import check_names
from surefoot.settings import check
from surefoot.types.errors import ConfigError


def test_every_misspelt_part_and_range_is_told_at_once_with_the_nearest_name(tmp_path: Path):
    values = check(
        {
            "problem": {"metric": "acuracy", "satisfice": {"rcall": 0.9}},
            "train": {"optimizer": "adamm", "schedule": "cosin", "loss": "hubr", "augment": "flipp", "phases": [{"epochs": 1, "optimizer": "sdg"}]},
            "model": {"use": "mpl"},
            "search": {"sampler": "tep", "space": {"train.lrr": {"uniform": [0, 1]}, "train.lr": {"log_uniform": [1.0, 0.1]}}},
        }
    )
    with pytest.raises(ConfigError, match="11 settings are wrong") as caught:
        check_names(values, tmp_path)
    for told in ("acuracy", "'recall'", "'adam'", "'cosine'", "'huber'", "'flip'", "train.phases.0.optimizer", "'mlp'", "'tpe'", "'train.lr'", "from 1 to 0.1"):
        assert told in caught.value.what


def test_right_names_and_the_users_own_parts_pass(tmp_path: Path):
    check_names(check({"train": {"loss": "my_code:loss", "optimizer": "sgd", "augment": "flip"}, "model": {"use": "not_yet:Written"}}), tmp_path)
