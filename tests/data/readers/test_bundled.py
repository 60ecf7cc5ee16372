"""The sets that come with scikit-learn."""

import numpy as np
import pytest
from sklearn import datasets

from surefoot.types.errors import UsageError

from .samples import read


def test_digits_are_pictures_scaled_to_bytes(tmp_path):
    source = read(tmp_path, "sklearn:digits")
    found = datasets.load_digits()
    assert source.kind == "image"
    assert source.labels == found.target.tolist()
    assert source.read(5).shape == (8, 8)
    assert np.array_equal(source.read(5), np.rint(found.images[5] * 255 / 16))
    assert max(source.read(row).max() for row in range(50)) == 255
    assert source.places[3] == "digits[3]"
    assert "0..16" in source.notes[0]


@pytest.mark.parametrize(("name", "classes"), [("breast_cancer", {"benign", "malignant"}), ("wine", {"class_0", "class_1", "class_2"})])
def test_classes_are_named(tmp_path, name, classes):
    source = read(tmp_path, f"sklearn:{name}")
    found = getattr(datasets, f"load_{name}")()
    assert source.suggested_target == ("target",)
    assert set(source.columns["target"]) == classes
    assert np.array_equal(np.column_stack([source.columns[column] for column in found.feature_names]), found.data)
    assert source.columns["target"].tolist() == [found.target_names[k] for k in found.target]
    assert all(type(column) is str for column in source.columns)


def test_iris_has_its_three_species(tmp_path):
    assert set(read(tmp_path, "sklearn:iris").columns["target"]) == {"setosa", "versicolor", "virginica"}


def test_diabetes_is_in_units_as_measured_and_its_target_is_a_number(tmp_path):
    source = read(tmp_path, "sklearn:diabetes")
    assert source.columns["target"].tolist() == datasets.load_diabetes().target.tolist()
    assert 19 <= source.columns["age"].min() <= source.columns["age"].max() <= 79


def test_linnerud_has_three_targets_by_name(tmp_path):
    source = read(tmp_path, "sklearn:linnerud")
    assert source.suggested_target == ("Weight", "Waist", "Pulse")
    assert list(source.columns) == ["Chins", "Situps", "Jumps", "Weight", "Waist", "Pulse"]
    assert source.columns["Waist"].tolist() == datasets.load_linnerud().target[:, 1].tolist()


def test_fingerprints_differ_by_name_and_are_stable(tmp_path):
    prints = {read(tmp_path, f"sklearn:{name}").fingerprint for name in ("digits", "iris", "wine")}
    assert len(prints) == 3
    assert read(tmp_path, "sklearn:iris").fingerprint in prints


@pytest.mark.parametrize(("name", "near"), [("digit", "digits"), ("Iris", "iris"), ("breast-cancer", "breast_cancer")])
def test_an_unknown_name_suggests_the_nearest(tmp_path, name, near):
    with pytest.raises(UsageError, match=f'no set named "{name}"') as caught:
        read(tmp_path, f"sklearn:{name}")
    assert f'Did you mean "{near}"?' in caught.value.next
    assert caught.value.exit_code == 2
