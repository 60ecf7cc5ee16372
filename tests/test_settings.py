"""The settings file: every problem at once, each with its right spelling, and overrides that are typed as the file is."""

from __future__ import annotations

import json
import tomllib

import pytest

from surefoot import settings
from surefoot.types.configs import Settings, SplitStepConfig, TuneStepConfig
from surefoot.types.errors import ConfigError


def load(folder, text: str, *overrides: str) -> Settings:
    (folder / "surefoot.toml").write_text(text, encoding="utf-8")
    return settings.load(folder, list(overrides))


def problems(folder, text: str, *overrides: str) -> dict[str, str]:
    """Key -> what is wrong with it."""
    with pytest.raises(ConfigError, match="wrong") as caught:
        load(folder, text, *overrides)
    head, *lines = caught.value.what.splitlines()
    assert head.startswith("1 setting is wrong" if len(lines) == 1 else f"{len(lines)} settings are wrong")
    assert caught.value.where == str(folder / "surefoot.toml")
    assert "docs/settings.md" in caught.value.next
    assert caught.value.exit_code == 2
    return dict(line.removeprefix("  - ").split(": ", 1) for line in lines)


# reading


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert load(tmp_path, "") == Settings()


def test_what_the_file_says_is_what_is_read(tmp_path):
    read = load(tmp_path, 'seed = 3\n[data]\nsource = "Blumen äöü/"\n[search.space]\n"train.lr" = { log_uniform = [1e-4, 1.0], level = "high" }\n')
    assert read.seed == 3
    assert read.data.source == "Blumen äöü/"
    assert read.search.space["train.lr"].log_uniform == (1e-4, 1.0)


def test_a_byte_order_mark_is_no_problem(tmp_path):
    (tmp_path / "surefoot.toml").write_text("seed = 3\n", encoding="utf-8-sig")
    assert settings.load(tmp_path).seed == 3


def test_a_missing_file_is_said_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(ConfigError, match=r"no surefoot\.toml") as caught:
        settings.load(tmp_path)
    assert "surefoot init" in caught.value.next


@pytest.mark.parametrize("text", ["seed = ", "[data\n", "seed = 1\nseed = 2", "question = What?"])
def test_a_file_that_is_no_toml_is_said_with_its_line(tmp_path, text):
    with pytest.raises(ConfigError, match="line") as caught:
        load(tmp_path, text)
    assert caught.value.next


def test_a_file_that_is_no_text_is_said(tmp_path):
    (tmp_path / "surefoot.toml").write_bytes(b"seed = 1\nquestion = '\xff\xfe'")
    with pytest.raises(ConfigError, match=r"surefoot\.toml: it is not UTF-8: byte 0xff on line 2"):
        settings.load(tmp_path)


# problems


def test_all_problems_are_reported_at_once(tmp_path):
    found = problems(tmp_path, 'seed = 3.5\nbudget = "soon"\n[train]\nlrr = 1.0\nepochs = -1\n[split]\ntrain = 0.9\n[data]\ntarget = 5\n')
    assert set(found) == {"seed", "budget", "train.lrr", "train.epochs", "split", "data.target"}


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("[train]\nlrr = 0.1", "train.lrr", "train.lr"),
        ("[train]\nbatchsize = 8", "train.batchsize", "train.batch_size"),
        ("[data]\nsorce = 'x'", "data.sorce", "data.source"),
        ("[trian]\nlr = 0.1", "trian", "train"),
        ("lr = 0.1", "lr", "train.lr"),
        ("[model]\nweight_decay = 0.1", "model.weight_decay", "train.weight_decay"),
        ("[[train.phases]]\nepochs = 1\nepoch = 2", "train.phases.0.epoch", "train.phases.0.epochs"),
        ('[search.space]\n"train.lr" = { log_unifrom = [1, 2] }', 'search.space."train.lr".log_unifrom', 'search.space."train.lr".log_uniform'),
    ],
)
def test_a_misspelt_key_comes_with_the_right_spelling(tmp_path, text, wrong, right):
    assert problems(tmp_path, text) == {wrong: f"there is no such key; did you mean {right}?"}


def test_a_key_like_no_other_comes_without_a_suggestion(tmp_path):
    assert problems(tmp_path, "qqqq = 1") == {"qqqq": "there is no such key."}


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("[train]\nlr = 'fast'", "train.lr", "valid number"),
        ("[train]\nlr = -1.0", "train.lr", "greater than or equal to 0"),
        ("[train]\nmomentum = 1.0", "train.momentum", "less than 1"),
        ("[split]\ntrain = 1.5", "split.train", "less than or equal to 1"),
        ("[split]\ntrain = nan", "split.train", "got nan"),
        ("[data]\ntarget = 5", "data.target", "valid string"),
        ("budget = '0.0m'", "budget", "no time at all"),
        ("budget = '-1m'", "budget", "write `smoke`, or a number and s, m or h, such as 90s, 20m or 8h (got '-1m')"),
        ("data = 'photos/'", "data", "got 'photos/'"),
        ("[problem]\ntask = 'classification'", "problem.task", "'multiclass'"),
        ("[[train.phases]]\nepochs = 0", "train.phases.0.epochs", "greater than 0"),
        ("[search.space]\n'train.lr' = { uniform = [1] }", 'search.space."train.lr".uniform', "required"),
        (f"question = {'7' * 300}", "question", "…"),
    ],
)
def test_a_wrong_value_is_said_with_its_key_and_what_is_due(tmp_path, text, key, why):
    found = problems(tmp_path, text)
    assert list(found) == [key]
    assert why in found[key]
    assert len(found[key]) < 250


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.3), (0.5, 0.2, 0.2), (0.0, 0.0, 0.0)])
def test_the_shares_of_the_split_must_add_up_to_one(tmp_path, shares):
    found = problems(tmp_path, "[split]\ntrain = {}\nval = {}\ntest = {}".format(*shares))
    assert f"{sum(shares):g}, and must be 1" in found["split"]


@pytest.mark.parametrize("shares", [(0.6, 0.2, 0.2), (0.7, 0.1, 0.2), (0.8, 0.0, 0.2), (1.0, 0.0, 0.0), (0.333333333, 0.333333333, 0.333333334)])
def test_shares_that_add_up_are_accepted(tmp_path, shares):
    assert load(tmp_path, "[split]\ntrain = {}\nval = {}\ntest = {}".format(*shares)).split.train == shares[0]


def test_a_split_without_a_train_set_is_refused(tmp_path):
    assert "nothing is left to train on" in problems(tmp_path, "[split]\ntrain = 0.0\nval = 0.5\ntest = 0.5")["split.train"]


# overrides


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.lr=0.1", "train.lr", 0.1),
        ("train.lr=1e-3", "train.lr", 1e-3),
        (" train.lr = 0.1 ", "train.lr", 0.1),
        ("seed=7", "seed", 7),
        ("budget=8h", "budget", "8h"),
        ("device=cuda:1", "device", "cuda:1"),
        ("data.source=my photos/", "data.source", "my photos/"),
        ('data.source="12"', "data.source", "12"),
        ('data.target=["a", "b"]', "data.target", ["a", "b"]),
        ('data.ignore=["a"]', "data.ignore", ["a"]),
        ("question=", "question", ""),
        ("split.time=none", "split.time", "none"),
    ],
)
def test_an_override_is_put_over_the_file_with_its_type(tmp_path, override, key, value):
    found = load(tmp_path, "seed = 3\n[train]\nlr = 0.5\nepochs = 9.0\n", override)
    assert found.train.epochs == 9.0
    for name in key.split("."):
        found = getattr(found, name)
    assert found == value


def test_the_last_of_two_overrides_counts(tmp_path):
    assert load(tmp_path, "", "seed=1", "seed=2").seed == 2


def test_an_override_names_a_key_that_holds_a_dot_in_quotes(tmp_path):
    found = load(tmp_path, "", 'search.space."train.lr"={ log_uniform = [1e-4, 1.0] }').search.space
    assert found["train.lr"].log_uniform == (1e-4, 1.0)


def test_a_misspelt_override_is_corrected_as_the_file_is(tmp_path):
    assert problems(tmp_path, "", "train.lrr=0.1") == {"train.lrr": "there is no such key; did you mean train.lr?"}


@pytest.mark.parametrize("override", ["train.lr", "=3", "..=3", ""])
def test_an_override_without_key_and_value_is_refused(tmp_path, override):
    assert problems(tmp_path, "", override) == {f"--set {override}": "it holds no `key=value`; write it as in --set train.lr=0.1."}


@pytest.mark.parametrize(("override", "blocking"), [("seed.low=1", "seed"), ("train.lr.peak=1", "train.lr")])
def test_an_override_below_what_is_no_table_is_refused(tmp_path, override, blocking):
    found = problems(tmp_path, "seed = 3\n[train]\nlr = 0.1", override)
    assert found == {f"--set {override}": f"{blocking} is no table; docs/settings.md names the keys."}


def test_what_is_wrong_in_the_file_and_in_overrides_is_told_in_one_list(tmp_path):
    found = problems(tmp_path, "[train]\nlrr = 1.0\nepochs = -1", "train.batchsize=8", "budget=soon", "seed", "train.epochs.more=1")
    assert set(found) == {"train.lrr", "train.epochs", "train.batchsize", "budget", "--set seed", "--set train.epochs.more=1"}


@pytest.mark.parametrize(("content", "told"), [(b"seed = 1\nlr =", "it is no TOML"), (b"seed = 1\nquestion = '\xff'", "it is not UTF-8")])
def test_overrides_are_looked_at_although_the_file_can_not_be_read(tmp_path, content, told):
    (tmp_path / "surefoot.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=f"3 settings are wrong:\n  - surefoot.toml: {told}") as caught:
        settings.load(tmp_path, ["train.lrr=1", "seed=-1"])
    assert "train.lrr: there is no such key" in caught.value.what
    assert "seed: " in caught.value.what


def test_an_override_puts_right_what_the_file_has_wrong(tmp_path):
    assert load(tmp_path, "seed = -1", "seed=4").seed == 4


# what is made from them


@pytest.mark.parametrize(("text", "seconds"), [("smoke", 0.0), ("90s", 90.0), ("20m", 1200.0), ("1.5h", 5400.0)])
def test_a_budget_is_a_time(text, seconds):
    assert settings.budget_seconds(settings.check({"budget": text}).budget) == seconds


def test_a_step_is_given_its_own_sections_and_no_others(tmp_path):
    values = load(tmp_path, 'budget = "8h"\n[split]\nfolds = 7\n[train]\nlr = 0.5\n')
    assert settings.compose(SplitStepConfig, values) == SplitStepConfig(split=values.split)
    tune = settings.compose(TuneStepConfig, values)
    assert (tune.budget, tune.train.lr, tune.search) == ("8h", 0.5, values.search)


def test_every_key_has_a_meaning():
    known = settings.keys()
    assert {"seed", "data.source", "train.lr", "search.space", "serve.requests"} <= set(known)
    assert not [key for key, meaning in known.items() if not meaning]


def test_the_schema_names_every_section():
    assert set(json.loads(settings.schema())["properties"]) == set(Settings.model_fields)


def test_a_written_file_is_read_back_and_lies_beside_its_schema(tmp_path):
    settings.write(tmp_path, 'question = "Ähm?"\n')
    assert settings.load(tmp_path).question == "Ähm?"
    assert tomllib.loads((tmp_path / "surefoot.toml").read_text(encoding="utf-8")) == {"question": "Ähm?"}
    assert json.loads((tmp_path / ".surefoot" / "schema.json").read_text(encoding="utf-8")) == json.loads(settings.schema())


@pytest.mark.parametrize(
    "values",
    [
        {"train": {"mixup": 0.2, "cutmix": 1.0}},
        {"train": {"mixup": 0.2}, "search": {"space": {"train.cutmix": {"choice": [0.0, 1.0]}}}},
    ],
)
def test_a_batch_is_not_mixed_in_two_ways(values):
    with pytest.raises(ConfigError, match=r"train\.cutmix: train\.mixup mixes the batch already"):
        settings.check(values)
    settings.check({"train": {"mixup": 0.2}})
