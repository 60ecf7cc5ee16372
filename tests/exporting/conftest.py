"""Bundles shared by the tests of one module; nobody changes them."""

import pytest

from surefoot.exporting import predictor

from . import samples


@pytest.fixture(scope="module")
def image_bundle(tmp_path_factory):
    return samples.write_image_bundle(tmp_path_factory.mktemp("bundles") / "image")


@pytest.fixture(scope="module")
def table_bundle(tmp_path_factory):
    return samples.write_table_bundle(tmp_path_factory.mktemp("bundles") / "table")


@pytest.fixture(scope="module")
def number_bundle(tmp_path_factory):
    return samples.write_number_bundle(tmp_path_factory.mktemp("bundles") / "number")


@pytest.fixture(scope="module")
def image_predictor(image_bundle):
    return predictor.load(image_bundle, threads=1)


@pytest.fixture(scope="module")
def table_predictor(table_bundle):
    return predictor.load(table_bundle, threads=1)


@pytest.fixture(scope="module")
def number_predictor(number_bundle):
    return predictor.load(number_bundle, threads=1)
