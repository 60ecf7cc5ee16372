"""The page shows the model's inputs, and nothing that comes from data can run in it."""

import json
import re
import shlex
from html.parser import HTMLParser

import pytest

from exporting import samples
from surefoot.exporting import bundle, predictor
from surefoot.serving.example import write_arguments
from surefoot.serving.page import render_page


class Tags(HTMLParser):
    """Collects the tags and their attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def named(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    recipe = {
        "kind": "table",
        "columns": [{"name": '"><script>alert(1)</script>', "kind": "category", "categories": ["</select><img src=x onerror=alert(2)>"]}],
    }
    problem = samples.make_problem(question="<script>alert(3)</script>", target=("<b>t</b>",), task="regression", classes=())
    manifest = bundle.describe(problem, kind="net", name="' onload='x", fields=(), inputs=())
    return predictor.Predictor(manifest, recipe, None)


def test_a_table_has_a_field_per_column_of_its_kind(people):
    page = Tags(people.get("/").text)
    fields = {a["data-column"]: a["data-kind"] for tag in ("input", "select") for a in page.named(tag) if "data-column" in a}
    assert fields == {"age": "numeric", "job": "category", "member": "boolean"}
    assert {"nurse", "clerk", "<i>smith</i>"} <= {option.get("value") for option in page.named("option")}
    labels = {label["for"] for label in page.named("label")}
    assert labels == {a["id"] for tag in ("input", "select") for a in page.named(tag)}


def test_pictures_have_an_upload(pictures):
    page = Tags(pictures.get("/").text)
    assert [a["type"] for a in page.named("input")] == ["file"]
    assert "<h1>What is &lt;it&gt;?</h1>" in pictures.get("/").text
    assert "<title>What is &lt;it&gt;?</title>" in pictures.get("/").text


def test_everything_from_data_is_escaped(hostile):
    html = render_page(hostile, "n0nce")
    page = Tags(html)
    assert len(page.named("script")) == 1
    assert "alert" not in page.named("script")[0].get("src", "")
    assert page.named("img") == []
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)
    assert "<b>t" not in html
    assert page.named("select")[0]["data-column"] == '"><script>alert(1)</script>'


def test_only_the_pages_own_script_may_run(pictures):
    response = pictures.get("/")
    policy = response.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy).group(1)
    assert Tags(response.text).named("script") == [{"nonce": nonce}]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert nonce not in pictures.get("/").text
    assert not re.search(r"https?://", response.text)


def test_the_page_holds_a_typical_row_to_paste_and_it_is_answered(people):
    (command,) = [a for a in Tags(people.get("/").text).named("pre") if a.get("id") == "command"]
    words = shlex.split(command["data-arguments"])
    record = json.loads(words[words.index("-d") + 1])
    assert list(record) == ["age", "job", "member"]
    assert 30 < record["age"] < 70
    answer = people.post("/predict", json=record).json()
    assert (answer["unseen"], answer["ignored"], len(answer["rows"])) == ({}, [], 1)
    assert "@picture.jpg" in write_arguments({"kind": "image"})
