"""Served bundles, shared by the tests of one module."""

import asyncio
import importlib
import sys
from pathlib import Path

import httpx
import pytest

from surefoot.exporting import predictor
from surefoot.serving.app import make_app

sys.path.append(str(Path(__file__).parents[1]))  # the bundles of the room below are made there
samples = importlib.import_module("exporting.samples")


class Client:
    """Asks an application in this process."""

    def __init__(self, folder):
        self.predictor = predictor.load(folder, threads=1)
        self.app = make_app(predictor.load(folder, threads=1))
        self.model = f"/v2/models/{self.predictor.manifest.name}"

    def get(self, path, **more):
        return asyncio.run(self._ask("GET", path, **more))

    def post(self, path, **more):
        return asyncio.run(self._ask("POST", path, **more))

    async def _ask(self, method, path, **more):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.request(method, path, **more)


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory):
    return samples.write_image_bundle(tmp_path_factory.mktemp("bundles") / "image")


@pytest.fixture(scope="module")
def table_folder(tmp_path_factory):
    return samples.write_table_bundle(tmp_path_factory.mktemp("bundles") / "table")


@pytest.fixture(scope="module")
def pictures(image_folder):
    return Client(image_folder)


@pytest.fixture(scope="module")
def people(table_folder):
    return Client(table_folder)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    return Client(samples.write_number_bundle(tmp_path_factory.mktemp("bundles") / "number"))
