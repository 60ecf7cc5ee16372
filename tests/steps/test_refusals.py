"""Tables that can't be walked: refused at the step that sees it, in words that say why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surefoot.project import Project
from surefoot.types import ConfigError, DataError, GateStop, UsageError


def make(folder: Path, settings: str, num: int = 60, **columns) -> Project:
    """A project on a table with an input `x` and the columns given as functions of the row's number."""
    names = ["x", *columns]
    rows = [",".join(str(value) for value in (n * 7 % 31 + n / 100, *(column(n) for column in columns.values()))) for n in range(num)]
    (folder / "t.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    (folder / "p").mkdir()
    (folder / "p" / "surefoot.toml").write_text(f'budget = "smoke"\n[data]\nsource = "../t.csv"\n{settings}\n')
    return Project(folder / "p")


def test_rows_with_an_infinite_target_are_left_out_and_counted(tmp_path):
    project = make(tmp_path, 'target = "y"', y=lambda n: "inf" if n % 6 == 0 else n * 1.37)
    project.run(to="split")
    assert project.report("audit").num_usable == 50
    assert "10 of 60 items have no target, or an infinite one" in project.report("problem").findings[0].what
    assert project.report("problem").findings[0].severity == "warn"
    assert (project.report("audit").num_refused, project.report("audit").num_untargeted) == (0, 10)


def test_one_row_of_two_hundred_without_a_target_is_no_warning(tmp_path):
    project = make(tmp_path, 'target = "y"', num=200, y=lambda n: "" if n == 7 else n * 1.37)
    project.run(to="problem")
    assert [one.severity for one in project.report("problem").findings if one.code == "data.missing_values"] == ["info"]


def test_a_table_without_inputs_says_what_became_of_each_column(tmp_path):
    lines = [f'{{"row": {n}, "parts": [{n}, 1], "label": "{"xy"[n % 2]}"}}' for n in range(60)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    (tmp_path / "surefoot.toml").write_text('[data]\nsource = "t.jsonl"\n')
    with pytest.raises(DataError, match=r'No column is left as an input of "row" \(id\), "label" \(target\)') as caught:
        Project(tmp_path).run(to="audit")
    assert 'hold lists, objects or bytes and were left out: "parts"' in caught.value.next


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('target = "huge"', r"reaches \d\S*e\+201; squares of such numbers"),
        ('target = ["a", "word"]', "2 target columns must all be numbers, and word holds none"),
        ('target = ["a", "a"]', "names a column twice: a, a"),
        ('target = ["a", "b"]\n[problem]\ntask = "multilabel"', "multilabel takes targets that are 0 or 1"),
        ('target = "flag"\n[problem]\ntask = "multilabel"', "multilabel takes several targets, and flag is one"),
        ('target = "flag"\nweight = "none"', "weights in none must be numbers from 0 up, one in every row and not all of them 0"),
        ('target = "unique"', r"five items that measuring takes \(k0: 1, .* and 50 more classes\)"),
        ('target = "flag"\n[split]\ngroup = "flag"', "of 2 has one class to train on"),
        ('target = "day"', "holds dates, such as 2024-01-01"),
    ],
)
def test_what_can_not_be_measured_is_refused(tmp_path, settings, told):
    columns = {"a": lambda n: n * 1.1, "b": lambda n: n * 2.3, "word": lambda n: f"w{n % 5}", "flag": lambda n: n % 2, "none": lambda n: 0}
    columns |= {"day": lambda n: f"2024-01-{1 + n % 20:02d}"}
    project = make(tmp_path, settings, huge=lambda n: f"{n + 1}e200", unique=lambda n: f"k{n}", **columns)
    with pytest.raises(DataError, match=told):
        project.run(to="split")


def test_pictures_none_of_which_can_be_read_are_told_with_their_reasons(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(6):
            (tmp_path / "photos" / name / f"{n}.jpg").write_bytes(b"\xff\xd8\xff\xe0" + np.random.default_rng(n).bytes(50))
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    with pytest.raises(DataError, match=r"None of the 12 items can be used: the picture can't be decoded") as caught:
        project.run(to="audit")
    assert "cat/0.jpg" in caught.value.where


def test_a_picture_that_is_refused_is_counted_once(tmp_path):
    from PIL import Image

    for name, shade in (("cat", 20), ("dog", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(8):
            Image.new("L", (8, 8), shade + n).save(tmp_path / "photos" / name / f"{n}.png")
    (tmp_path / "photos" / "cat" / "torn.png").write_bytes((tmp_path / "photos" / "cat" / "0.png").read_bytes()[:40])
    (tmp_path / "photos" / "note.txt").write_text("no picture")
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    project.run(to="audit")
    audit = project.report("audit")
    assert (audit.num_items, audit.num_usable, len(audit.refused)) == (18, 16, 2)


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, {outputs})
    def forward(self, x):
        return {returned}
"""


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small table, walked up to the step before the net."""
    project = make(tmp_path_factory.mktemp("flags"), 'target = "flag"\n[split]\nprotocol = "holdout"\n[train]\nthreads = 1', flag=lambda n: n % 2)
    project.run(to="prepare")
    return project


def test_a_net_of_the_wrong_shape_stops_at_its_shape_and_breaks_nothing_else(flags):
    (flags.root / "wide.py").write_text(NET.format(outputs=7, returned="self.layer(x)"))
    with pytest.raises(GateStop, match=r"give \(4, 7\), finite; \(4, 1\) is due"):
        flags.run(to="sanity", set=["model.use=wide:Net"])
    assert [check.name for check in flags.report("sanity").checks] == ["output shape"]
    flags.render()


def test_a_net_that_returns_no_tensor_is_refused(flags):
    (flags.root / "two.py").write_text(NET.format(outputs=1, returned="(self.layer(x), 3)"))
    with pytest.raises(UsageError, match="returns an object of type tuple, no tensor"):
        flags.run(to="sanity", set=["model.use=two:Net"])


def test_a_net_without_parameters_is_refused(flags):
    (flags.root / "empty.py").write_text("from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n")
    with pytest.raises(UsageError, match="empty:Net has nothing that could be trained"):
        flags.run(to="sanity", set=["model.use=empty:Net"])


def test_an_error_in_the_users_net_says_where_on_the_road_it_was_raised(flags):
    (flags.root / "slip.py").write_text(NET.format(outputs=1, returned="self.layer(x) + undefined"))
    with pytest.raises(NameError, match="undefined") as caught:
        flags.run(to="sanity", set=["model.use=slip:Net"])
    assert "while: s06_sanity, round" in caught.value.__notes__[0]


def test_a_loss_that_diverges_at_once_is_a_finding(flags):
    with pytest.raises(GateStop, match=r"At lr 1e\+30 the loss stops being a finite number"):
        flags.run(to="sanity", set=["train.lr=1e30", "model.width=8", "model.depth=1"])
    assert "train.diverged" in [finding.code for finding in flags.report("sanity").findings]


def test_a_loss_that_rounds_to_float32_passes_the_gradient_check(flags):
    (flags.root / "rounds.py").write_text(
        "from torch.nn import functional as F\n"
        "def loss(logits, targets):\n    return F.binary_cross_entropy_with_logits(logits.float().reshape(-1), targets.float().reshape(-1))\n"
    )
    flags.run(to="sanity", set=["train.loss=rounds:loss", "model.width=8", "model.depth=1"], past={"sanity": "only its gradient is asked about"})
    assert {check.name: check.ok for check in flags.report("sanity").checks}["gradient check"]


def test_a_misspelt_part_is_told_before_the_first_step(flags):
    rounds = len(flags.rounds())
    with pytest.raises(ConfigError, match="Did you mean 'flip'"):
        flags.run(to="audit", set=["train.augment=flipp", "seed=5"])
    assert len(flags.rounds()) == rounds


def test_a_run_tells_what_is_wrong_in_the_file_with_what_is_wrong_on_its_command_line(tmp_path):
    project = make(tmp_path, 'target = "flag"\n[train]\nlrr = 0.1', flag=lambda n: n % 2)
    with pytest.raises(ConfigError, match="3 settings are wrong") as caught:
        project.run(set=["train.optimizer=adamm", "seed=-1"])
    assert all(told in caught.value.what for told in ("train.lrr", "'adam'", "seed"))
    assert not project.rounds()


def test_an_lr_of_nothing_is_told_when_the_road_is_walked(flags):
    told: list[str] = []
    Project(flags.root, sinks=(lambda event: told.append(str(event.data.get("text"))),)).run(to="problem", set=["train.lr=0"])
    assert any("train.lr = 0 leaves it open" in one for one in told)


def test_settings_that_could_have_no_effect_are_told_together(tmp_path):
    """As soon as kind and task are known, before anything is read or trained."""
    train = '[train]\naugment = "noise+flip"\ncutmix = 1.0\nsampling = "balanced"\nclass_weights = "balanced"\nshard = "on"\nlabel_smoothing = 0.1'
    settings = f'target = "y"\nid = "y"\n[problem]\ngoal = -1\n{train}'
    project = make(tmp_path, settings, y=lambda n: n * 1.37)
    with pytest.raises(ConfigError, match=r"8 settings are wrong") as caught:
        project.run(to="audit")
    told = str(caught.value)
    for part in (
        "train.augment: flip is not for data of the kind table. For these there is: noise, token_dropout",
        "train.cutmix: only pictures are pasted",
        "data.id: y is the target",
        "train.class_weights: regression has no classes",
        "train.label_smoothing: regression has no classes that a target could be spread over; its loss is mse",
        "train.sampling: classes are drawn evenly",
        "train.shard: the road is walked by one process",
        "problem.goal: Root mean squared error is never below 0 (got -1)",
    ):
        assert part in told
    assert "audit" not in [view.name[4:] for view in project.rounds()[-1].steps]


def test_mixup_is_refused_where_there_is_nothing_to_blend(tmp_path):
    settings = 'target = "y"\nignore = ["x"]\n[train]\nmixup = 0.2'
    project = make(tmp_path, settings, 120, colour=lambda n: f"colour{n % 8}", town=lambda n: f"town{n % 15}", y=lambda n: n // 8 % 2)
    with pytest.raises(ConfigError, match=r"train\.mixup: mixup blends numbers, and the inputs are categories alone") as caught:
        project.run(to="baseline")
    assert caught.value.next.startswith("Leave it out")
    assert [view.name[4:] for view in project.rounds()[-1].steps][-1] == "prepare"


def test_mixup_is_done_where_a_number_stands_beside_the_words(tmp_path):
    project = make(tmp_path, 'target = "y"\n[train]\nmixup = 0.2', word=lambda n: ("red", "green", "blue", "grey")[n % 4], y=lambda n: n % 2)
    project.run(to="prepare")
    assert [field.name for field in project.report("prepare").fields] == ["numeric", "category"]


def test_a_share_is_no_percentage(flags):
    with pytest.raises(ConfigError, match=r"problem\.goal: Accuracy lies between 0 and 1 \(got 95\); did you mean 0\.95\?"):
        flags.run(to="problem", set=["problem.goal=95"])


def test_huge_and_infinite_numbers_are_found_by_the_audit(tmp_path):
    project = make(tmp_path, 'target = "y"', huge=lambda n: f"{n * 1.7 + 1}e300", some=lambda n: "inf" if n % 10 == 0 else n * 1.3, y=lambda n: n % 2)
    project.run(to="prepare")
    told = {finding.where: finding.what for finding in project.report("audit").findings if finding.severity == "warn"}
    assert "60 of 60 numbers are beyond what a model computes with" in told["huge"]
    assert "6 of 60 numbers are infinite" in told["some"]
    low, high = project.report("prepare").ranges["numeric"]
    assert high > low


def test_init_of_what_is_not_there_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match='There is no "absent"'):
        Project.init("absent")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (("train", "val", "test"), "# train, val and test as your data has them"),
        (("train", "test"), "# test as your data has it; of the rest K-fold, as there are under 1,000 items"),
    ],
)
def test_init_says_how_this_data_will_be_split(tmp_path, sets, told):
    (tmp_path / "d").mkdir()
    for at, name in enumerate(sets):
        rows = [f"{n * 0.37 + at:.2f},{n % 2}" for n in range(40)]
        (tmp_path / "d" / f"{name}.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    project = Project.init(str(tmp_path / "d"), out=str(tmp_path / "p"))
    assert told in (project.root / "surefoot.toml").read_text(encoding="utf-8")


def test_an_augmentation_that_returns_no_pictures_is_refused(tmp_path):
    from PIL import Image

    for name, shade in (("cat", 20), ("dog", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(20):
            Image.new("L", (8, 8), shade + n).save(tmp_path / "photos" / name / f"{n}.png")
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    (project.root / "my.py").write_text("def none(images, generator):\n    return None\n\ndef crop(images, generator):\n    return images[:, :, 1:]\n")
    quick = ["train.threads=1", "model.width=8", "model.depth=1", "split.protocol=holdout", "train.lr=0.01", "baseline.rows=100"]
    for name, told in (("none", "my:none returns an object of type NoneType where uint8"), ("crop", r"my:crop returns uint8 \(2, 1, 7, 8\)")):
        with pytest.raises(UsageError, match=told):
            project.run(to="tune", set=[*quick, f"train.augment=my:{name}"], past={"sanity": "only the augmentation is asked about", "overfit": "the same"})


@pytest.mark.parametrize(("task", "target"), [("multiclass", lambda n: "abc"[n % 3]), ("regression", lambda n: n * 1.37)])
def test_rules_for_a_threshold_are_refused_where_none_decides(tmp_path, task, target):
    names = ("threshold", "miss_cost", "alarm_cost", "least_precision", "least_recall")
    rules = "\n".join(f"{name} = 0.3" for name in names)
    project = make(tmp_path, f'target = "y"\n[problem]\n{rules}', y=target)
    with pytest.raises(ConfigError, match=f"no threshold decides in {task}") as caught:
        project.run(to="audit")
    assert all(f"problem.{name}: " in str(caught.value) for name in names)


def test_a_rule_for_the_threshold_is_taken_where_one_decides(flags):
    flags.run(to="problem", set=["problem.miss_cost=5"])
    assert flags.report("problem").task == "binary"
