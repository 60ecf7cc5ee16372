"""The server is measured over real HTTP in a process of its own, and stops by itself."""

import socket
import urllib.parse

import numpy as np
import pytest

from exporting import samples
from surefoot.data import preprocess
from surefoot.exporting import bundle
from surefoot.serving import measure as measuring
from surefoot.serving import run as running
from surefoot.serving.measure import measure
from surefoot.serving.run import serve
from surefoot.types.errors import DamagedError, SurefootError, UsageError


@pytest.fixture(scope="module")
def measured(image_folder):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4), dtype=np.uint8)
    return measure(image_folder, (pixels,), requests=40)


def test_latency_and_throughput_are_measured_and_the_answers_agree(measured):
    assert measured["agrees"] is True
    assert measured["requests"] == 40
    latency = measured["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] < 30_000
    assert measured["throughput"] > 0


def test_the_server_is_gone_afterwards(measured):
    where = urllib.parse.urlsplit(measured["url"])
    assert where.hostname == "127.0.0.1"
    with socket.socket() as probe:
        assert probe.connect_ex((where.hostname, where.port)) != 0


def test_rows_of_a_table_travel_as_tensors_with_null_for_missing(people):
    fields = preprocess.decode_columns(samples.make_people(20)[0], people.predictor.recipe)
    assert np.isnan(fields[0]).any()
    answer = people.post(f"{people.model}/infer", content=measuring._write_request(people.predictor, fields)).json()
    assert measuring._agree(people.predictor, people.predictor.predict(fields), answer)


def test_a_picture_travels_as_a_file_and_answers_are_compared(pictures):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 1, 4, 4), dtype=np.uint8)
    body = measuring._write_request(pictures.predictor, (pixels,))
    answer = pictures.post(f"{pictures.model}/infer", content=body).json()
    expected = pictures.predictor.predict((pixels,))
    assert measuring._agree(pictures.predictor, expected, answer)
    assert not measuring._agree(pictures.predictor, expected[:, ::-1], answer)


def test_a_damaged_bundle_is_not_served(tmp_path):
    folder = samples.write_image_bundle(tmp_path / "image")
    (folder / bundle.GRAPH).write_bytes(b"other")
    with pytest.raises(DamagedError, match=r"model\.onnx"):
        serve(folder, port=0)


def test_a_server_that_does_not_start_says_why(tmp_path):
    with pytest.raises(SurefootError, match=r"The server did not start: .*is no bundle"), measuring._running(tmp_path / "nothing"):
        pass


def test_a_taken_port_is_a_usage_error(image_folder):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="can't be listened on"):
        serve(image_folder, port=taken.getsockname()[1])


def test_the_listening_socket_is_named_as_tcp_so_that_answers_are_sent_at_once():
    with running._listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY for these alone
        assert running.address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
