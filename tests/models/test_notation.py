"""The layer notation: what it reads, what it refuses and how, and the sums it does; known answers from the literature."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.models.grammar import ACTIVATIONS, POOLS
from surefoot.models.notation import LayerSpec, default_layers, describe, parse
from surefoot.types.errors import ConfigError

ALEXNET = (
    "INPUT -> CONV11-96/4p0 -> RELU -> POOL3/2 -> CONV5-256 -> RELU -> POOL3/2 -> [CONV3-384 -> RELU]*2 -> CONV3-256 -> RELU -> POOL3/2 "
    "-> [FC4096 -> RELU -> DROP0.5]*2 -> FC"
)
VGG16 = (
    "INPUT -> [CONV3-64 -> RELU]*2 -> POOL -> [CONV3-128 -> RELU]*2 -> POOL -> [CONV3-256 -> RELU]*3 -> POOL "
    "-> [[CONV3-512 -> RELU]*3 -> POOL]*2 -> [FC4096 -> RELU]*2 -> FC"
)


def names(text: str) -> list[str]:
    return [layer.name for layer in parse(text)]


def refusal(text: str, shape: tuple[int, ...] = (3, 32, 32), outputs: int = 10) -> str:
    with pytest.raises(ConfigError, match="layers") as caught:
        describe(text, shape, outputs)
    return str(caught.value)


# reading


def test_brackets_repeat_and_nest():
    assert names("INPUT -> [[CONV3-8 -> RELU]*2 -> POOL]*2 -> FC") == (["CONV3-8", "RELU"] * 2 + ["MAXPOOL2"]) * 2 + ["FC"]


def test_zero_repeats_leave_a_linear_model():
    assert names("INPUT -> [[CONV -> RELU]*0 -> POOL]*0 -> FC") == ["FC"]


def test_case_spaces_and_input_do_not_matter():
    assert parse("conv3-64/2P1->relu ->\n fc") == parse("INPUT -> CONV3-64/2p1 -> RELU -> FC")


@pytest.mark.parametrize(
    ("short", "long"),
    [("CONV", "CONV3/1p1"), ("CONV5-8", "CONV5-8p2"), ("POOL", "MAXPOOL2/2p0"), ("POOL3", "POOL3/3"), ("DROP", "DROP0.5"), ("AVGPOOL", "AVGPOOL2")],
)
def test_what_is_not_said_is_the_usual(short, long):
    assert parse(f"{short} -> FC") == parse(f"{long} -> FC")


def test_a_mark_after_a_bracket_makes_each_layer_in_it_optional():
    assert [layer.is_optional for layer in parse("[CONV -> POOL]? -> FC")] == [True, True, False]


numbers = st.integers(1, 9)
windows = st.one_of(
    st.builds(lambda k, s, p, w: LayerSpec("CONV", k, s, min(p, k - 1), w), numbers, numbers, numbers, st.integers(0, 64)),
    st.builds(lambda kind, k, s, p: LayerSpec(kind, k, s, min(p, k // 2)), st.sampled_from(POOLS), numbers, numbers, numbers),
    st.sampled_from([LayerSpec("GAP"), LayerSpec("GMP")]),
)
anywhere = st.one_of(
    st.sampled_from([LayerSpec(kind) for kind in (*ACTIVATIONS, "BN")]),
    st.integers(0, 99).map(lambda percent: LayerSpec("DROP", rate=percent / 100)),
)
units = st.integers(0, 64).map(lambda number: LayerSpec("FC", width=number))
optional = st.builds(lambda spec, mark: LayerSpec(**vars(spec) | {"is_optional": mark}), st.one_of(windows, anywhere), st.booleans())
nets = st.builds(lambda first, then: [*first, *then, LayerSpec("FC")], st.lists(optional, max_size=6), st.lists(st.one_of(anywhere, units), max_size=4))


@given(nets)
def test_every_net_is_read_back_as_it_was_written(net):
    assert list(parse(" -> ".join(str(layer) for layer in net))) == net


@given(nets, st.integers(1, 3), st.integers(0, 3))
def test_a_bracket_is_its_content_as_often_as_it_says(net, count, inner):
    body = " -> ".join(str(layer) for layer in net if layer.kind != "FC") or "RELU"
    assert parse(f"[[{body}]*{inner} -> TANH]*{count} -> FC") == parse(" -> ".join(([body] * inner + ["TANH"]) * count + ["FC"]))


@given(st.one_of(st.text(alphabet="CONVPOLFRE[]*?->/.0123456789p ", max_size=40), st.text(max_size=20)))
@settings(max_examples=300)
def test_any_text_at_all_is_read_or_refused_with_its_place(text):
    problem: ConfigError | None = None
    try:
        parse(text)
    except ConfigError as error:
        problem = error
    assert problem is None or (re.match(r"character \d+ of the layers", problem.where) and problem.next)


@given(nets, st.sampled_from([(1, 8, 8), (3, 13, 9), (2, 1, 1)]))
def test_the_notation_with_nothing_left_open_gives_the_same_net(net, shape):
    try:
        rows = describe(" -> ".join(str(layer) for layer in net), shape, 5)
    except ConfigError:
        return  # a mandatory layer had no room
    assert describe(" -> ".join(row.name for row in rows), shape, 5) == rows


# refusing


def test_a_misspelt_layer_is_shown_with_a_caret_and_the_nearest_name():
    assert refusal("INPUT -> CONF3-64 -> FC") == (
        "There is no layer `CONF3-64`.\n"
        "  where: character 10 of the layers\n"
        "         INPUT -> CONF3-64 -> FC\n"
        "                  ^^^^^^^^\n"
        "  next:  Did you mean `CONV3-64`? The layers are CONV, WHITEN, POOL, MAXPOOL, AVGPOOL, GAP, GMP, FC, BN, DROP, RELU, GELU, SILU, TANH, "
        "SIGMOID, LEAKY, ELU."
    )


def test_a_missing_arrow_is_asked_for():
    assert refusal("INPUT -> CONV RELU -> FC") == (
        "The layer notation holds `RELU` where `->`, `*N` or `?` was expected.\n"
        "  where: character 15 of the layers\n"
        "         INPUT -> CONV RELU -> FC\n"
        "                       ^^^^\n"
        "  next:  Write `->`, `*N` or `?`, as in `INPUT -> [CONV3-32 -> RELU]*2 -> POOL -> FC`."
    )


def test_an_open_bracket_is_pointed_at():
    assert refusal("INPUT -> [CONV -> RELU -> FC") == (
        "This `[` of the layer notation is never closed.\n"
        "  where: character 10 of the layers\n"
        "         INPUT -> [CONV -> RELU -> FC\n"
        "                  ^\n"
        "  next:  Write `]` where the repeated layers end."
    )


def test_a_volume_that_shrinks_to_nothing_names_layer_sizes_and_cures():
    assert refusal("INPUT -> [CONV5-8p0 -> POOL]*3 -> FC") == (
        "MAXPOOL2 (layer 6 of 7) leaves nothing: it is given 1x1, and its window is 2x2 with padding 0.\n"
        "  where: character 24 of the layers\n"
        "         INPUT -> [CONV5-8p0 -> POOL]*3 -> FC\n"
        "                                ^^^^\n"
        "  next:  Write `MAXPOOL2?`: it is then used only where it fits, or pad it: `MAXPOOL2p1`, or have fewer POOLs and strides before it, "
        "or use larger pictures."
    )


@pytest.mark.parametrize(
    ("text", "what", "advice"),
    [
        ("", "notation ends where a layer", "Write a layer"),
        ("INPUT", "ends where `->`", "Write `->`"),
        ("INPUT -> FC ->", "ends where a layer", "Write a layer"),
        ("[] -> FC", "holds `]` where a layer", "Write a layer"),
        ("[CONV -> RELU]*x -> FC", "holds `x` where a number", "after `*`"),
        ("[CONV -> RELU)*2 -> FC", "holds `)` where", "`]`"),
        ("CONV => FC", "holds `=` where", "`->`"),
        ("FC -> INPUT", "INPUT stands in the middle", "first, and once"),
        ("CONV -> RELU", "does not end with FC", "End it with `-> FC`"),
        ("CONV -> [FC]*0", "does not end with FC", "End it with `-> FC`"),
        ("FC -> SOFTMAX", "SOFTMAX is no layer", "the loss takes raw outputs"),
        ("CONV -> FLATTEN -> FC", "FLATTEN is no layer", "FC flattens"),
        ("DENSE128 -> FC", "no layer `DENSE128`", "Did you mean `FC128`?"),
        ("DROPOUT0.5 -> FC", "no layer `DROPOUT0.5`", "Did you mean `DROP0.5`?"),
        ("FC -> CONV3-8 -> FC", "CONV3-8 comes after an FC", "before the first FC"),
        ("CONV64 -> FC", "kernel of 64x64", "Did you mean 64 channels, `CONV3-64`?"),
        ("CONV3-64//2 -> FC", "options of `CONV3-64//2`", "CONV[kernel][-channels][/stride][pPADDING]"),
        ("POOL3-64 -> FC", "options of `POOL3-64`", "POOL[kernel][/stride][pPADDING]"),
        ("CONV2D -> FC", "options of `CONV2D`", "CONV[kernel]"),
        ("RELU6 -> FC", "options of `RELU6`", "RELU alone"),
        ("CONV0-8 -> FC", "a kernel of 0", "from 1 to 65,536"),
        ("CONV3-8/0 -> FC", "a stride of 0", "from 1 to 65,536"),
        ("FC99999999 -> FC", "units of 99,999,999", "from 1 to 65,536"),
        ("CONV3-8p3 -> FC", "nothing but padding", "p2 at most"),
        ("POOL3p2 -> FC", "nothing but padding", "p1 at most"),
        ("DROP1.0 -> FC", "drop every unit", "[0, 1)"),
        ("[[[CONV]*999]*999]*999 -> FC", "unrolls to 998,001 layers", "Repeat less"),
        ("[" * 40 + "FC" + "]" * 40, "more than 16 deep", "Unroll"),
        ("FC12", "last layer has 12 units, and the task needs 10", "Write `FC` alone"),
    ],
)
def test_every_mistake_is_named_and_answered(text, what, advice):
    said = refusal(text)
    assert what in said.split("\n")[0]
    assert advice in said.split("next:")[1]


def test_a_long_notation_is_cut_to_the_place_of_the_mistake():
    text = " -> ".join(["CONV"] * 40 + ["BAD"] + ["CONV"] * 40)
    _, where, line, caret, _ = refusal(text).split("\n")
    assert where.endswith("character 321 of the layers")
    assert len(line) < 120
    assert line[caret.index("^") : caret.rindex("^") + 1] == "BAD"


def test_control_characters_reach_no_terminal():
    assert "\x1b" not in refusal("INPUT -> CONV\x1b[31m -> FC").split("where:")[1].split("next:")[0]


def test_picture_layers_are_refused_for_rows_of_numbers():
    assert "CONV3 needs a picture, and an item here is 14 numbers." in refusal("CONV -> FC", (14,))


@pytest.mark.parametrize("shape", [(), (32, 32), (3, 0, 32), (1, 1, 1, 1)])
def test_an_input_of_another_shape_is_refused(shape):
    with pytest.raises(ConfigError, match="No net can be laid out"):
        describe("FC", shape, 10)


# summing up


def test_alexnet_has_the_volumes_and_parameters_of_cs231n():
    rows = {row.name: row for row in describe(ALEXNET, (3, 227, 227), 1000)}
    assert rows["CONV11-96/4p0"].volume == (96, 55, 55)
    assert rows["CONV11-96/4p0"].parameters == 34_944
    assert rows["CONV11-96/4p0"].flops == 2 * 11 * 11 * 3 * 96 * 55 * 55
    assert rows["CONV5-256"].volume == (256, 27, 27)
    assert rows["CONV3-256"].volume == (256, 13, 13)
    assert rows["MAXPOOL3/2"].volume == (256, 6, 6)
    assert rows["FC4096"].parameters == 4096 * 4096 + 4096
    assert rows["FC1000"].volume == (1000, 1, 1)
    assert not any(row.note for row in rows.values())


def test_vgg16_has_138_million_parameters():
    assert sum(row.parameters for row in describe(VGG16, (3, 224, 224), 1000)) == 138_357_544


def test_three_small_kernels_see_as_much_as_one_of_seven():
    assert [row.receptive_field for row in describe("[CONV3-8]*3 -> FC", (1, 32, 32), 2)[:4]] == [1, 3, 5, 7]


def test_pooling_doubles_the_step_and_what_later_kernels_add():
    rows = describe("CONV3-8 -> POOL -> CONV3-8 -> GAP -> FC", (1, 16, 16), 2)
    assert [(row.receptive_field, row.stride) for row in rows] == [(1, 1), (3, 1), (4, 2), (8, 2), (22, 16), (22, 16)]


def test_channels_double_after_each_pool_where_none_are_given():
    rows = describe("[CONV -> POOL]*3 -> FC -> RELU -> FC", (1, 8, 8), 3, width=5)
    assert [row.volume[0] for row in rows] == [1, 5, 5, 10, 10, 20, 20, 20, 20, 3]


def test_an_optional_pool_is_used_while_two_pixels_are_left():
    assert [row.volume[1:] for row in describe("[POOL?]*5 -> FC", (1, 9, 8), 2)] == [(9, 8), (4, 4), (2, 2), (1, 1), (1, 1)]


def test_a_layer_before_batch_norm_has_no_bias():
    rows = {row.name: row for row in describe("CONV3-8 -> BN -> FC16 -> BN -> FC", (1, 4, 4), 2)}
    assert rows["CONV3-8"].parameters == 9 * 8
    assert rows["FC16"].parameters == 8 * 16 * 16
    assert rows["FC2"].parameters == 16 * 2 + 2


def test_the_stride_that_does_not_fit_in_cs231n_is_explained():
    row = describe("CONV3-8/2p0 -> FC", (1, 10, 10), 2)[1]
    assert row.volume == (8, 4, 4)
    assert row.note == "(10 - 3 + 2*0)/2 + 1 = 4.5 is no integer; rounded down to 4, which leaves its input's last row or column unseen; stride 1 would fit"


def test_a_padding_that_would_fit_is_named():
    row = describe("CONV5-8/3p0 -> FC", (1, 15, 15), 2)[1]
    assert row.note == (
        "(15 - 5 + 2*0)/3 + 1 = 4.333 is no integer; rounded down to 4, which leaves its input's last row or column unseen; padding 1 or stride 2 would fit"
    )


def test_padding_left_over_is_told_from_pixels_left_over():
    assert "leaves 1 of the padding unused" in describe("CONV3-8/2 -> FC", (1, 32, 32), 2)[1].note


def test_a_width_that_fits_does_not_hide_a_height_that_does_not():
    assert describe("POOL -> FC", (1, 8, 7), 2)[1].note.startswith("(7 - 2 + 2*0)/2 + 1 = 3.5")
    assert not describe("POOL -> FC", (1, 8, 6), 2)[1].note


# the default


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 96, 96), (3, 193, 130), (3, 224, 224), (3, 512, 512)])
def test_the_default_ends_with_a_few_pixels_and_is_affordable(shape):
    rows = describe(default_layers(shape, width=32, depth=2, dropout=0.25), shape, 10)
    ends = [row.volume[1:] for row in rows if row.name not in ("GMP", "FC10", "DROP0.25")]
    assert max(ends[-1]) <= 8
    assert sum(row.flops for row in rows) < 1e9
    assert rows[-2].name == "DROP0.25"


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 5), (4, 3, 50), (1, 5, 5)])
def test_the_default_fits_the_smallest_pictures(shape):
    assert describe(default_layers(shape, width=8, depth=1), shape, 10)[-1].volume == (10, 1, 1)


def test_the_default_doubles_its_channels_per_stage():
    assert default_layers((3, 16, 16), width=16, depth=3) == "INPUT -> [CONV3-16 -> BN -> RELU]*3 -> POOL -> [CONV3-32 -> BN -> RELU]*3 -> POOL -> FC"
    assert default_layers((3, 32, 32), width=16, depth=2) == (
        "INPUT -> WHITEN4/2 -> RELU -> [CONV3-16 -> BN -> RELU]*2 -> POOL -> [CONV3-32 -> BN -> RELU]*3 -> GMP -> FC"
    )


def test_the_default_for_pictures_is_refused_for_rows():
    with pytest.raises(ConfigError, match="take pictures"):
        default_layers((14,), width=8, depth=1)
