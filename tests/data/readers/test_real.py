"""Real data, where it is at hand: what its catalogue says is what the readers find."""

from collections import Counter

import numpy as np
import pytest

from surefoot.data.readers.schema import column_kind

from .samples import SHARED, read

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")


def test_mnist():
    source = read(SHARED, "mnist")
    assert Counter(source.given_sets) == {"train": 60_000, "test": 10_000}
    assert source.labels[:5] == [5, 0, 4, 1, 9]
    assert source.labels[60_000:60_003] == [7, 2, 1]
    assert source.read(0).shape == (28, 28)
    assert np.mean([source.read(row).mean() for row in range(60_000)]) == pytest.approx(33.318, abs=0.001)
    assert source.refused == source.notes == []


def test_usps_is_wild_to_mnist():
    wild = read(SHARED, "mnist", wild="wild_digits/usps_test.npz", which="wild")
    assert len(wild) == 2007
    assert set(wild.labels) == set(range(10))
    assert wild.read(0).shape == (16, 16)


def test_small_fashion_mnist():
    assert Counter(read(SHARED, "fashion_mnist_small").given_sets) == {"train": 2000, "test": 876}


def test_ants_and_bees():
    source = read(SHARED, "images/ants_bees.tar")
    assert Counter(zip(source.given_sets, source.labels, strict=True)) == {
        ("train", "ants"): 58,
        ("train", "bees"): 56,
        ("val", "ants"): 24,
        ("val", "bees"): 26,
    }
    assert [one.place for one in source.refused] == ["ants_bees/train/.DS_Store", "ants_bees/val/.DS_Store"]
    placeholder = next(row for row, place in enumerate(source.places) if place.endswith("imageNotFound.gif"))
    assert source.read(placeholder).ndim == 3
    assert max(len(place.rsplit("/", 1)[1]) for place in source.places) == 102


def test_flowers():
    source = read(SHARED, "images/flowers.tar")
    assert set(Counter(source.labels).values()) == {400}
    assert len(set(source.labels)) == 5
    assert set(source.given_sets) == {""}
    assert all(source.read(row).shape == (128, 128, 3) for row in range(0, 2000, 40))


def test_cifar10_in_a_packed_tar():
    source = read(SHARED, "cifar10/cifar10_jpg.tar.xz")
    assert Counter(source.given_sets) == {"train": 50_000, "test": 10_000}
    assert set(Counter(source.labels).values()) == {6000}
    assert all(source.read(row).shape == (32, 32, 3) for row in range(0, 60_000, 600))


def test_adult():
    source = read(SHARED, "tabular/adult_train.csv.gz", test="tabular/adult_test.csv.gz")
    assert Counter(source.given_sets) == {"": 32_561, "test": 16_281}
    assert Counter(source.columns["income"]) == {"<=50K": 37_155, ">50K": 11_687}
    assert source.suggested_target == ("income",)
    assert {name for name, values in source.columns.items() if values.dtype == object and None in values} == {"workclass", "occupation", "native-country"}
    assert sum(values.dtype == np.float64 for values in source.columns.values()) == 6
    assert len(source.notes) == 1
    assert "16,281" in source.notes[0]
    assert source.refused == []


def test_hypothyroid():
    source = read(SHARED, "tabular/hypothyroid.csv")
    assert Counter(Counter(source.columns["Class"]).values()) == {3481: 1, 194: 1, 95: 1, 2: 1}
    assert source.suggested_target == ("Class",)
    assert np.isnan(source.columns["TBG"]).all()
    assert "sick" in source.booleans
    assert "TBG measured" in source.booleans
    assert source.columns["age"].dtype == np.float64
    assert np.nanmax(source.columns["age"]) == 455
    assert column_kind("sex", source.columns["sex"], source.booleans) == "category"


def test_bike_sharing():
    source = read(SHARED, "tabular/bike_hourly.csv")
    assert len(source) == 17_379
    assert source.columns["dteday"].dtype == np.dtype("datetime64[ns]")
    assert source.columns["dteday"][-1] == np.datetime64("2012-12-31")
    assert (np.diff(source.columns["dteday"].astype(np.int64)) >= 0).all()
    assert source.suggested_target == ("cnt",)
    assert source.notes == []


def test_sms_spam_is_a_table_with_a_column_of_text():
    source = read(SHARED, "text/sms_spam.tsv")
    assert Counter(source.columns["label"]) == {"ham": 4825, "spam": 747}
    assert column_kind("message", source.columns["message"], source.booleans) == "text"
    assert source.suggested_target == ("label",)
