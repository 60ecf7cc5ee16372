"""What is beside the words of texts: leaks through length, lines, beginnings and file names are found, and a healthy set stays silent."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.analysis.text_looks import sum_up_texts
from surefoot.data.identity import number_equals
from surefoot.types import ColumnProfile, Problem, TableSource

PROBLEM = Problem(
    question="?",
    kind="table",
    task="binary",
    target=("label",),
    classes=("ham", "spam"),
    metric="accuracy",
    head="sigmoid",
    loss="binary_cross_entropy",
    num_outputs=1,
)
PROFILES = (ColumnProfile(name="text", kind="text", missing=0, distinct=300, role="input"),)
WORDS = np.asarray(["the", "room", "was", "lovely", "and", "view", "from", "pool", "rather", "cold", "with", "much", "to", "see", "near", "bar"])


def write(num_words: int, seed: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, num_words))


def look(texts: list[str], places: list[str] | None = None, given: str = ""):
    """Texts of even places are ham, the others spam."""
    num = len(texts)
    places = places or [f"mail.csv:{n + 2}" for n in range(num)]
    source = TableSource({"text": np.asarray(texts, object)}, places, [given] * num)
    used = SimpleNamespace(
        rows=np.arange(num),
        ids=number_equals(texts),
        places=places,
        targets=(np.arange(num) % 2).astype(float).reshape(-1, 1),
        visible=np.full(num, given != "test"),
    )
    return sum_up_texts(source, PROFILES, used, PROBLEM, 0)


HEALTHY = [write(int(np.random.default_rng(n).integers(5, 30)), n) for n in range(300)]
SICK = {
    "length of text": [text + " and so on and on" * 12 * (n % 2) for n, text in enumerate(HEALTHY)],
    "number of lines of text": [text.replace(" ", "\n", 1 + n % 2) for n, text in enumerate(HEALTHY)],
    "beginning of text": [("WASHINGTON (AP) " if n % 2 else "") + text for n, text in enumerate(HEALTHY)],
}


def test_a_healthy_set_raises_nothing_and_tells_its_lengths():
    looks = look(HEALTHY)
    assert not looks.findings
    assert not looks.found
    spread = looks.shown["measures"]["length of text"]
    assert sum(spread.histogram) == 300
    assert spread.low < spread.median < spread.high


@pytest.mark.parametrize("disease", SICK)
def test_what_alone_tells_the_class_is_named_first(disease: str):
    found = look(SICK[disease]).findings
    assert {(one.code, one.severity) for one in found} == {("data.leaking_column", "warn")}
    assert disease in {one.where for one in found}


def test_names_of_files_that_tell_the_class_are_noted_and_those_of_rows_are_not():
    named = [f"texts/{'ab'[n % 2]}/{'scan' if n % 2 else 'mail'}{n}.txt" for n in range(300)]
    assert [(one.where, one.severity) for one in look(HEALTHY, named).findings] == [("file name's pattern", "info")]
    assert not look(HEALTHY, [f"texts/{n % 2}/{n * 7 % 300}.txt" for n in range(300)]).findings
    assert not look(HEALTHY, [f"mail.csv:{n if n % 2 else n + 10_000}" for n in range(300)]).findings


def test_texts_far_longer_than_all_others_and_of_hardly_a_letter_are_suspects():
    texts = [*HEALTHY, write(40_000, 1), "%%%% 0x00 0x01 #### 12 13"]
    told = look(texts).found["data.outliers"]
    assert set(told) == {300, 301}
    assert "signs, where half" in told[300]
    assert "of its signs are letters" in told[301]


def test_lists_of_numbers_are_no_suspects_where_all_are_lists_of_numbers():
    assert not look([" ".join(map(str, np.random.default_rng(n).integers(0, 99, 12))) for n in range(300)]).found


def test_no_statistic_is_made_of_a_given_test_set():
    looks = look([*SICK["length of text"]], given="test")
    assert not looks.findings
    assert not looks.found
    assert not looks.shown
