"""Raw records become the fields that the graph takes, the same way for packing, predicting and serving."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from surefoot.data import preprocess
from surefoot.types.errors import DataError
from surefoot.types.source import ItemError

TABLE = {
    "kind": "table",
    "columns": [
        {"name": "age", "kind": "numeric"},
        {"name": "job", "kind": "category", "categories": ["clerk", "nurse", "3"]},
        {"name": "seen", "kind": "date"},
        {"name": "member", "kind": "boolean"},
        {"name": "town", "kind": "category", "categories": ["Ulm"]},
    ],
}
ROWS = {
    "age": np.array([30.0, np.nan, np.inf]),
    "job": np.array(["nurse", None, "pilot"], object),
    "seen": np.array(["2024-02-29T18:00:00", "NaT", "1969-12-31"], "datetime64[ns]"),
    "member": np.array([1.0, 0.0, np.nan]),
    "town": np.array(["Ulm", "Ulm", "Bonn"], object),
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["clerk", " Ulm ", "yes", "2020-01-02", "?", "3.0"]),
    st.lists(st.integers(), max_size=2),
)


def image_recipe(height=4, width=4, channels=1):
    return {"kind": "image", "height": height, "width": width, "channels": channels}


def column(kind, **more):
    return {"kind": "table", "columns": [{"name": "x", "kind": kind, **more}]}


def decode(values, recipe):
    return preprocess.decode_columns({"x": values}, recipe)[0][:, 0]


def test_fields_name_each_part_and_leave_out_what_would_be_empty():
    numeric, category = preprocess.fields(TABLE)
    assert (numeric.name, numeric.shape, numeric.dtype) == ("numeric", (8,), "float32")
    assert numeric.names == ("age", "seen.year", "seen.month", "seen.day", "seen.weekday", "seen.hour", "seen.days", "member")
    assert (category.names, category.cardinalities, category.dtype) == (("job", "town"), (4, 2), "int32")
    assert [spec.name for spec in preprocess.fields(column("numeric"))] == ["numeric"]
    assert [spec.name for spec in preprocess.fields(column("category", categories=["a"]))] == ["category"]
    assert [spec.shape for spec in preprocess.fields(image_recipe(5, 6, 3))] == [(3, 5, 6)]


def test_a_table_becomes_numbers_with_nan_and_codes_with_zero():
    numeric, category = preprocess.decode_columns(ROWS, TABLE)
    nan = np.nan
    expected = [[30, 2024, 2, 29, 3, 18, 19782.75, 1], [nan] * 7 + [0], [nan, 1969, 12, 31, 2, 0, -1, nan]]
    np.testing.assert_array_equal(numeric, np.array(expected, np.float32))
    np.testing.assert_array_equal(category, [[2, 1], [0, 1], [0, 0]])
    assert (numeric.dtype, category.dtype) == (np.float32, np.int32)


def test_raw_values_of_a_request_mean_what_a_reader_would_have_made_of_them():
    raw = {"town": ["Ulm", " Ulm", "Bonn"], "member": ["yes", False, "?"], "age": ["30", None, "inf"], "job": ["nurse", "", "pilot"]}
    raw["seen"] = ["2024-02-29T18:00:00Z", None, "1969-12-31"]
    for ours, theirs in zip(preprocess.decode_columns(raw, TABLE), preprocess.decode_columns(ROWS, TABLE), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_recipe_survives_json():
    again = json.loads(json.dumps(TABLE))
    for ours, theirs in zip(preprocess.decode_columns(ROWS, again), preprocess.decode_columns(ROWS, TABLE), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(ROWS)))
def test_the_order_of_columns_does_not_matter_and_more_columns_do_no_harm(names):
    shuffled = {name: ROWS[name] for name in names} | {"extra": np.zeros(3)}
    for ours, theirs in zip(preprocess.decode_columns(shuffled, TABLE), preprocess.decode_columns(ROWS, TABLE), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert preprocess.unknown_columns(shuffled, TABLE) == ("extra",)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[VALUES] * 5), max_size=4))
def test_whatever_a_request_holds_becomes_finite_numbers_nan_or_valid_codes(rows):
    columns = {name: [row[at] for row in rows] for at, name in enumerate(ROWS)}
    numeric, category = preprocess.decode_columns(columns, TABLE)
    assert not np.isinf(numeric).any()
    assert ((category >= 0) & (category < [4, 2])).all()
    for names in preprocess.unseen(columns, TABLE).values():
        assert all(isinstance(name, str) and len(name) <= 80 for name in names)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=5)), min_size=1, max_size=20))
def test_each_row_is_decoded_as_if_it_were_alone(values):
    recipe = column("category", categories=sorted({value.strip() for value in values if value and value.strip()}))
    if recipe["columns"][0]["categories"]:
        np.testing.assert_array_equal(decode(values, recipe), np.concatenate([decode([value], recipe) for value in values]))


def test_missing_columns_are_all_named_with_the_nearest_name_given():
    with pytest.raises(DataError, match=r"3 of 5 input columns are missing: age \(did you mean 'aeg'\?\), seen, member\."):
        preprocess.decode_columns({"aeg": [1], "job": ["nurse"], "town": ["Ulm"]}, TABLE)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="differ in length: age 2, job 3"):
        preprocess.decode_columns({**ROWS, "age": [1.0, 2.0]}, TABLE)


def test_unseen_values_are_named_once_and_missing_ones_are_not():
    columns = {**ROWS, "job": ["pilot", None, "?"], "age": ["old", "7", "old"], "member": ["perhaps", "no", 2]}
    columns["seen"] = ["soon", None, "2020-01-01"]
    assert preprocess.unseen(columns, TABLE) == {"age": ["old"], "job": ["pilot"], "seen": ["soon"], "member": ["perhaps", "2"], "town": ["Bonn"]}
    assert preprocess.unseen({**ROWS, "age": [1, 2, 3], "job": ["3", "nurse", "clerk"], "town": ["Ulm"] * 3}, TABLE) == {}


def test_huge_and_infinite_numbers_become_missing():
    np.testing.assert_array_equal(
        decode([10**400, "1e39", -math.inf, 1e38, str(10**30), True], column("numeric")), np.float32([np.nan, np.nan, np.nan, np.nan, 1e30, 1])
    )


def test_a_category_that_looks_like_a_number_is_found_whether_it_comes_as_text_or_number():
    numbers = column("category", categories=["1", "2"])
    np.testing.assert_array_equal(decode(np.array([1.0, 2.0, np.nan, 3.0]), numbers), [1, 2, 0, 0])
    np.testing.assert_array_equal(decode(["1.0", 2, "02", "x", True], numbers), [1, 2, 2, 0, 1])
    codes = column("category", categories=["007", "1A"])
    np.testing.assert_array_equal(decode(np.array([7.0, 1.0]), codes), [1, 0])
    np.testing.assert_array_equal(decode(["7", "007"], codes), [0, 1])


def test_truth_is_understood_in_words_and_numbers():
    np.testing.assert_array_equal(decode(["Yes", "f", 1, 0.0, True, None, 2, "maybe"], column("boolean")), np.float32([1, 0, 1, 0, 1, np.nan, np.nan, np.nan]))
    np.testing.assert_array_equal(decode([True, False, "yes"], column("category", categories=["yes", "no", "unknown"])), [1, 2, 1])


def test_dates_are_read_as_tables_write_them():
    recipe = column("date")

    def day(values):
        return preprocess.decode_columns({"x": values}, recipe)[0][:, 5].tolist()

    assert day(["1/13/2011", "1/2/2011"]) == [14987.0, 14976.0]
    assert day(["2011-01-02", "2 January 2011"]) == [14976.0, 14976.0]
    assert day(["2011-01-02T01:00:00+02:00"]) == [pytest.approx(14975 + 23 / 24)]
    assert np.isnan(day([20110102, 1.5, True])).all()


def test_categories_are_ranked_by_frequency_then_name_and_the_rare_ones_dropped():
    values = np.array(["b", "a", "c", "c", None, "b", "d", "a", "e"], object)
    recipe = preprocess.make_table_recipe({"x": values, "n": np.zeros(9)}, {"x": "category", "n": "numeric"}, max_categories=4)
    assert recipe["columns"] == [{"name": "x", "kind": "category", "categories": ["a", "b", "c", "d"]}, {"name": "n", "kind": "numeric", "typical": 0}]
    assert decode(np.array(["e", "a", None], object), {"kind": "table", "columns": recipe["columns"][:1]}).tolist() == [0, 1, 0]
    numbers = preprocess.make_table_recipe({"x": np.array([2.0, 2.0, 1.5, np.nan])}, {"x": "category"})
    assert numbers["columns"][0]["categories"] == ["2", "1.5"]


def test_a_kind_that_no_net_takes_and_an_empty_table_are_refused():
    with pytest.raises(DataError, match=r"can't be inputs: note \(tune\)"):
        preprocess.make_table_recipe({"note": np.array(["long words"], object)}, {"note": "tune"})
    with pytest.raises(DataError, match="No column is left as an input"):
        preprocess.make_table_recipe({}, {})


WRITTEN = {
    "kind": "table",
    "columns": [
        {"name": "said", "kind": "text", "field": "text", "length": 3, "words": ["yes", "no"]},
        {"name": "age", "kind": "numeric"},
        {"name": "note", "kind": "text", "field": "text2", "length": 2, "words": ["ok"]},
        {"name": "town", "kind": "category", "categories": ["Ulm"]},
    ],
}


def test_each_column_of_text_is_a_field_behind_numbers_and_categories():
    found = preprocess.fields(WRITTEN)
    assert [field.name for field in found] == ["numeric", "category", "text", "text2"]
    assert [field.is_text for field in found] == [False, False, True, True]
    assert [(field.shape, field.cardinalities, field.dtype) for field in found[2:]] == [((3,), (4,), "int32"), ((2,), (3,), "int32")]


def test_texts_are_the_same_codes_from_a_reader_and_from_a_request():
    read = {"said": np.array(["Yes, no!", None], object), "age": np.array([1.0, 2.0]), "note": np.array(["OK", "what"], object), "town": ["Ulm", "x"]}
    asked = {"said": ["Yes, no!", None], "age": [1, "2"], "note": ["OK", "what"], "town": ["Ulm", "x"]}
    for columns in (read, asked):
        numbers, codes, said, note = preprocess.decode_columns(columns, WRITTEN)
        assert said.tolist() == [[2, 1, 3], [0, 0, 0]]
        assert note.tolist() == [[2, 0], [1, 0]]
        assert numbers[:, 0].tolist() == [1, 2]
        assert codes[:, 0].tolist() == [1, 0]
    assert preprocess.unseen(asked, WRITTEN) == {"town": ["x"]}  # words that are not known have a code


@given(st.lists(VALUES, max_size=4))
def test_anything_may_stand_where_a_text_is_due(values):
    recipe = {"kind": "table", "columns": [WRITTEN["columns"][0]]}
    (codes,) = preprocess.decode_columns({"said": values}, recipe)
    assert codes.shape == (len(values), 3)
    assert ((codes >= 0) & (codes < 4)).all()


def test_a_picture_of_the_wanted_size_is_not_touched():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4), dtype=np.uint8)
    made = preprocess.decode_image(pixels, image_recipe())
    np.testing.assert_array_equal(made[0], pixels)
    assert np.shares_memory(made, pixels)
    colour = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(preprocess.decode_image(colour, image_recipe(channels=3)), colour.transpose(2, 0, 1))


def test_grey_is_the_luma_of_itu_r_601_and_colour_of_grey_has_three_equal_channels():
    colour = np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    luma = colour.astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(preprocess.decode_image(colour, image_recipe())[0], luma, atol=1)
    grey = colour[..., 0]
    assert (preprocess.decode_image(grey, image_recipe(channels=3)) == grey).all()


def test_a_wider_picture_is_scaled_to_cover_and_cropped_around_its_centre():
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 200  # exactly the square that is kept
    np.testing.assert_allclose(preprocess.decode_image(wide, image_recipe())[0, :, 1:3], 200, atol=3)
    tall = np.zeros((400, 100, 3), np.uint8)
    tall[:150], tall[250:] = 255, 255
    assert preprocess.decode_image(tall, image_recipe(10, 10, 3))[:, 1:-1].max() <= 3  # the edges see beyond the box, as after resizing the whole


def test_reducing_keeps_the_mean_and_enlarging_keeps_a_flat_picture_flat():
    noise = np.random.default_rng(2).integers(0, 256, (512, 512), dtype=np.uint8)
    small = preprocess.decode_image(noise, image_recipe(8, 8))
    assert abs(small.mean() - noise.mean()) < 1
    assert small.std() < 5  # every pixel of the original counts; picking some would keep a deviation of 74
    np.testing.assert_array_equal(preprocess.decode_image(np.full((2, 3), 77, np.uint8), image_recipe(9, 9)), 77)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]), st.booleans())
def test_a_picture_of_any_size_fits_the_recipe(h, w, height, width, channels, is_grey):
    pixels = np.full((h, w) if is_grey else (h, w, 3), 100, np.uint8)
    made = preprocess.decode_image(pixels, image_recipe(height, width, channels))
    assert (made.shape, made.dtype) == ((channels, height, width), np.uint8)
    assert (made == 100).all()


def test_what_is_no_picture_is_refused_as_an_item():
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(ItemError, match="a picture is uint8"):
            preprocess.decode_image(wrong, image_recipe())


def test_reducing_by_boxes_first_stays_near_the_full_filter():
    photo = Image.effect_mandelbrot((600, 400), (-2, -1, 1, 1), 60).convert("L")
    full = np.asarray(photo.resize((20, 20), Image.Resampling.LANCZOS, (100, 0, 500, 400)), int)
    assert np.abs(preprocess.decode_image(np.asarray(photo), image_recipe(20, 20))[0].astype(int) - full).max() <= 6
