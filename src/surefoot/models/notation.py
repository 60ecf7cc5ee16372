"""What a layer notation comes to on a given input: volumes, parameters, FLOPs, receptive fields; and the default notation.

Axis letters: `C` channels, `H W` height and width. Volumes are (C, H, W); after an FC (units, 1, 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from surefoot.models.grammar import FILTERS, POOLS, SPATIAL, LayerSpec, fail, parse
from surefoot.types.errors import ConfigError

__all__ = ["LayerRow", "LayerSpec", "default_layers", "describe", "parse"]

Volume = tuple[int, int, int]

_SMALL, _LARGE, _LEFT = 24, 64, 8
"""Sides in pixels: from which half the side is enough for the first stage, from which a quarter or less is, and at most which are left at the end."""


@dataclass(frozen=True)
class LayerRow:
    """One layer on its place in the net.

    Attributes:
        spec: the layer with nothing left open.
        volume: (C, H, W) of its output.
        parameters: weights and biases it learns.
        flops: of one item, forward: two per multiply and add; only CONV, WHITEN and FC count.
        receptive_field: side of the input patch that one output number sees, in pixels, padding included.
        stride: input pixels between neighbouring outputs.
        has_bias: false where a BN follows, whose shift takes the bias's place.
        note: what deserves a look, e.g. a stride that does not fit the size.
    """

    spec: LayerSpec
    volume: Volume
    parameters: int = 0
    flops: int = 0
    receptive_field: int = 1
    stride: int = 1
    has_bias: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        """The layer as the notation spells it."""
        return self.spec.name


def describe(text: str, input_shape: tuple[int, ...], num_outputs: int, width: int = 32) -> tuple[LayerRow, ...]:
    """What each layer makes of its input; the first row is INPUT itself.

    Args:
        text: the notation.
        input_shape: (C, H, W), or (F,) for a net of FC layers.
        num_outputs: units of the last FC.
        width: channels of a CONV without a number before the first POOL; they double after each. A hidden FC gets 4 times as many units.

    Raises:
        ConfigError: the notation can't be read, or a layer has no room.

    Source: Stanford CS231n, "Convolutional Networks": output side (W - F + 2P) / S + 1.
    """
    if len(input_shape) not in (1, 3) or min(input_shape) < 1:
        raise ConfigError(
            f"No net can be laid out on an input of shape {input_shape}.", where="the input of the layers", next="Give (C, H, W), or (F,) for a table."
        )
    specs = parse(text)
    if len(input_shape) == 1:
        _refuse_pictures(text, specs, input_shape[0])
    volume: Volume = (*input_shape, 1, 1)[:3]  # type: ignore[assignment]
    rows = [LayerRow(LayerSpec("INPUT"), volume)]
    used = list(_settle(text, specs, volume, (width, num_outputs)))
    for spec, after in zip(used, [*used[1:], None]):
        rows.append(_measure(spec, rows[-1], has_bias=after is None or after.kind != "BN"))
    return tuple(rows)


def default_layers(input_shape: tuple[int, ...], *, width: int, depth: int, dropout: float = 0.0) -> str:
    """A net for pictures, as notation.

    Of 24 to 63 pixels a side: patches whitened at half the side, then stages of convolutions, each halving the side and doubling the channels, until at
    most 8 pixels are left; of those the maximum. At equal accuracy on MNIST that takes a quarter of the time of the plain stages (LOG.md).

    Smaller and larger: plain stages, VGG-like, until about 4 pixels are left; pictures of 64 pixels and more are first brought to 32 to 63, which keeps
    their FLOPs within what a laptop bears. The last FC sees where things are: on 6,000 CIFAR-10 pictures a global maximum in its stead cost 5 points of
    accuracy, a global average 8.

    Args:
        input_shape: (C, H, W).
        width: channels of the first stage.
        depth: convolutions per stage.
        dropout: share of units dropped before the FC.

    Raises:
        ConfigError: the input is no picture.

    Source: Simonyan and Zisserman 2015; batch norm: Ioffe and Szegedy 2015; whitened patches: see `models.whiten`.
    """
    if len(input_shape) != 3:
        raise ConfigError(
            f"The default layers take pictures (C, H, W), and an item here is {input_shape}.", where="model", next="Use the part `tabular` or `mlp`."
        )
    side = min(input_shape[1:])
    layers = _whitened_layers(side, width, depth) if is_whitened(input_shape) else _plain_layers(side, width, depth)
    if dropout:
        layers.append(LayerSpec("DROP", rate=dropout).name)
    return " -> ".join(["INPUT", *layers, "FC"])


def is_whitened(input_shape: tuple[int, ...]) -> bool:
    """Whether the default net for pictures of this size begins with whitened patches."""
    return _SMALL <= min(input_shape[1:]) < _LARGE


def _whitened_layers(side: int, width: int, depth: int) -> list[str]:
    layers = ["WHITEN4/2 -> RELU", f"[CONV3-{width} -> BN -> RELU]*{depth}"]
    side //= 2
    while side > _LEFT:
        width, side = 2 * width, side // 2
        layers.append(f"POOL -> [CONV3-{width} -> BN -> RELU]*{depth + 1}")
    return [*layers, "GMP"]


def _plain_layers(side: int, width: int, depth: int) -> list[str]:
    parts = []
    if side >= _LARGE:
        parts.append(f"CONV5-{width}/2 -> BN -> RELU")
        side //= 2
    while side >= _LARGE:
        parts.append("POOL")
        side //= 2
    num_stages = min(4, max(2, round(math.log2(side / 4))))
    pool = "POOL" if side >= 2**num_stages else "POOL?"
    return parts + [f"[CONV3-{width * 2**stage} -> BN -> RELU]*{depth} -> {pool}" for stage in range(num_stages)]


def _refuse_pictures(text: str, specs: tuple[LayerSpec, ...], num_numbers: int) -> None:
    for spec in specs:
        if spec.kind in SPATIAL:
            fail(
                text,
                spec.at,
                spec.length,
                f"{spec.name} needs a picture, and an item here is {num_numbers} numbers.",
                "Use FC layers: `INPUT -> [FC128 -> RELU]*2 -> FC`.",
            )


def _settle(text: str, specs: tuple[LayerSpec, ...], volume: Volume, widths: tuple[int, int]) -> Iterator[LayerSpec]:
    """The layers that are used, with their widths filled in; optional ones without room are left out."""
    width, num_outputs = widths
    pools = 0
    for number, spec in enumerate(specs, 1):
        is_last = number == len(specs)
        if is_last and spec.width not in (0, num_outputs):
            fail(
                text,
                spec.at,
                spec.length,
                f"The last layer has {spec.width} units, and the task needs {num_outputs}.",
                "Write `FC` alone: its units follow from the task.",
            )
        if not _has_room(spec, volume):
            if spec.is_optional:
                continue
            _refuse_size(text, spec, volume, f"layer {number} of {len(specs)}")
        filled = {"CONV": width * 2**pools, "WHITEN": _fill_whiten(text, spec, volume, width), "FC": num_outputs if is_last else 4 * width}.get(spec.kind, 0)
        spec = replace(spec, width=spec.width or filled, is_optional=False)
        volume = _volume_after(spec, volume)
        pools += spec.kind in POOLS
        yield spec


def _fill_whiten(text: str, spec: LayerSpec, volume: Volume, width: int) -> int:
    """Channels of a WHITEN that were left open; each filter comes with its negative, and a patch has as many filters as it has numbers."""
    if spec.kind != "WHITEN":
        return 0
    most = 2 * spec.kernel**2 * volume[0]
    if spec.width > most or spec.width % 2:
        patch = f"{spec.kernel}x{spec.kernel}x{volume[0]}"
        what = f"{spec.name} asks for {spec.width} channels: its filters come in pairs, {most // 2} of them at most for a patch of {patch}."
        fail(text, spec.at, spec.length, what, f"Use an even number up to {most}, or a larger kernel.")
    return min(most, max(2, width - width % 2))


def _has_room(spec: LayerSpec, volume: Volume) -> bool:
    """Whether the window fits; an optional one wants two pixels a side as well, below which there is nothing to sum up."""
    if not spec.kernel:
        return True
    side = min(volume[1:])
    return side + 2 * spec.padding >= spec.kernel and (side >= 2 or not spec.is_optional)


def _refuse_size(text: str, spec: LayerSpec, volume: Volume, place: str) -> None:
    side = min(volume[1:])
    needed = -(-(spec.kernel - side) // 2)
    widest = spec.kernel - 1 if spec.kind in FILTERS else spec.kernel // 2
    cures = ["have fewer POOLs and strides before it", "use larger pictures"]
    if needed <= widest:
        cures.insert(0, f"pad it: `{replace(spec, padding=needed).name}`")
    if spec.kind in POOLS:
        cures.insert(0, f"write `{spec.name}?`: it is then used only where it fits")
    what = (
        f"{spec.name} ({place}) leaves nothing: it is given {volume[1]}x{volume[2]}, and its window is {spec.kernel}x{spec.kernel} with padding {spec.padding}."
    )
    cure = ", or ".join(cures)
    fail(text, spec.at, spec.length, what, f"{cure[0].upper()}{cure[1:]}.")


def _volume_after(spec: LayerSpec, volume: Volume) -> Volume:
    channels, height, width = volume
    if spec.kernel:
        height, width = ((side - spec.kernel + 2 * spec.padding) // spec.stride + 1 for side in (height, width))
        return spec.width or channels, height, width
    if spec.kind == "FC":
        return spec.width, 1, 1
    return (channels, 1, 1) if spec.kind in ("GAP", "GMP") else volume


def _measure(spec: LayerSpec, before: LayerRow, has_bias: bool) -> LayerRow:
    volume = _volume_after(spec, before.volume)
    weights, uses = 0, 0
    if spec.kind in FILTERS:
        weights, uses = spec.kernel**2 * before.volume[0] * spec.width, volume[1] * volume[2]
    elif spec.kind == "FC":
        weights, uses = math.prod(before.volume) * spec.width, 1
    has_bias = has_bias and weights > 0 and spec.kind != "WHITEN"
    learned = 0 if spec.kind == "WHITEN" else weights + spec.width * has_bias
    parameters = learned if weights else 2 * volume[0] * (spec.kind == "BN")
    # A global layer is a window as large as what it is given; all others leave what an output sees as it was.
    window = spec.kernel or (max(before.volume[1:]) if spec.kind in ("FC", "GAP", "GMP") else 1)
    step = spec.stride if spec.kernel else window
    return LayerRow(
        spec,
        volume,
        parameters,
        2 * weights * uses,
        before.receptive_field + (window - 1) * before.stride,
        before.stride * step,
        has_bias,
        _note_misfit(spec, before.volume) if spec.kernel else "",
    )


def _note_misfit(spec: LayerSpec, volume: Volume) -> str:
    """Says where (W - F + 2P) / S + 1 is no integer, what is lost, and which padding or stride would fit."""
    sides = volume[1:]
    misfits = [side for side in sides if (side - spec.kernel + 2 * spec.padding) % spec.stride]
    if not misfits:
        return ""
    side = misfits[0]
    span = side - spec.kernel + 2 * spec.padding
    lost = span % spec.stride
    seen = lost - spec.padding
    what = (
        f"{lost} of the padding unused"
        if seen <= 0
        else f"its input's last {seen} rows or columns unseen"
        if seen > 1
        else "its input's last row or column unseen"
    )
    formula = f"({side} - {spec.kernel} + 2*{spec.padding})/{spec.stride} + 1 = {span / spec.stride + 1:.4g} is no integer"
    return f"{formula}; rounded down to {span // spec.stride + 1}, which leaves {what}; {_find_fits(spec, sides)} would fit"


def _find_fits(spec: LayerSpec, sides: tuple[int, int]) -> str:
    """The nearest padding and the nearest stride with which every side fits; stride 1 always does."""

    def fits(padding: int, stride: int) -> bool:
        return all(side + 2 * padding >= spec.kernel and (side - spec.kernel + 2 * padding) % stride == 0 for side in sides)

    widest = spec.kernel - 1 if spec.kind in FILTERS else spec.kernel // 2
    paddings = sorted((abs(padding - spec.padding), padding) for padding in range(widest + 1) if fits(padding, spec.stride))
    strides = sorted((abs(stride - spec.stride), stride) for stride in range(1, max(spec.kernel, spec.stride) + 1) if fits(spec.padding, stride))
    return " or ".join([f"padding {padding}" for _, padding in paddings[:1]] + [f"stride {stride}" for _, stride in strides[:1]])
