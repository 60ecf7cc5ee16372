"""The layer notation, read: text -> layers. Nothing here knows a size.

    INPUT -> [[CONV -> RELU]*2 -> POOL?]*3 -> [FC -> RELU]*1 -> FC

    net  = [INPUT ->] item (-> item)*
    item = (layer | "[" item (-> item)* "]") ("*N" | "?")*

Source: Stanford CS231n, "Convolutional Networks", section Layer Patterns.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from typing import NoReturn

from surefoot.types.errors import ConfigError

ACTIVATIONS = ("RELU", "GELU", "SILU", "TANH", "SIGMOID", "LEAKY", "ELU")
POOLS = ("MAXPOOL", "AVGPOOL")
FILTERS = ("CONV", "WHITEN")
SPATIAL = (*FILTERS, *POOLS, "GAP", "GMP")

_WINDOW = r"(?P<kernel>\d+)?{width}(?:/(?P<stride>\d+))?(?:P(?P<padding>\d+))?"
_CONV = re.compile(_WINDOW.format(width=r"(?:-(?P<width>\d+))?"))
_POOL = re.compile(_WINDOW.format(width=""))
_FORMS = {
    "CONV": "CONV[kernel][-channels][/stride][pPADDING], e.g. `CONV3-64/2p1`",
    "WHITEN": "WHITEN[kernel][-channels][/stride][pPADDING], e.g. `WHITEN4-32/2`",
    "MAXPOOL": "POOL[kernel][/stride][pPADDING], e.g. `POOL3/2`",
    "AVGPOOL": "AVGPOOL[kernel][/stride][pPADDING], e.g. `AVGPOOL2`",
    "FC": "FC[units], e.g. `FC128`",
    "DROP": "DROP[share], e.g. `DROP0.5`",
}
KINDS = {"CONV": "CONV", "WHITEN": "WHITEN", "POOL": "MAXPOOL"} | {name: name for name in (*POOLS, "GAP", "GMP", "FC", "BN", "DROP", *ACTIVATIONS)}
_KNOWN_AS = {"DENSE": "FC", "LINEAR": "FC", "DROPOUT": "DROP", "BATCHNORM": "BN", "SWISH": "SILU", "CONVOLUTION": "CONV"}
_IMPLIED = {"SOFTMAX": "the loss takes raw outputs", "FLATTEN": "FC flattens what it is given"}

_TOKEN = re.compile(r"->|[\[\]*?]|[A-Za-z](?:[A-Za-z0-9./]|-(?!>))*|\d+|\S")
_MAX_LAYERS = 1000
_MAX_DEPTH = 16
_MAX_NUMBER = 65_536
_MAX_BARE_KERNEL = 11  # AlexNet's first kernel; a larger number without channels was meant as channels
_LINE = 100


@dataclass(frozen=True)
class LayerSpec:
    """One layer as written.

    Attributes:
        kind: CONV, WHITEN, MAXPOOL, AVGPOOL, GAP, GMP, FC, BN, DROP or an activation.
        kernel, stride, padding: of the window, in pixels; padding per side.
        width: channels (CONV, WHITEN) or units (FC); 0: follows from the position.
        rate: share of units DROP drops.
        is_optional: used only where the volume has room for it.
        at, length: where it stands in the text, in characters.
    """

    kind: str
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    width: int = 0
    rate: float = 0.0
    is_optional: bool = False
    at: int = field(default=0, compare=False)
    length: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return self.name + "?" * self.is_optional

    @property
    def name(self) -> str:
        """The layer in its shortest spelling; `parse` reads it back as the same layer."""
        if self.kind == "DROP":
            return "DROP" + (f"{self.rate:.8f}".rstrip("0").rstrip("."))
        if self.kind == "FC":
            return f"FC{self.width or ''}"
        if self.kind in FILTERS:
            width = f"-{self.width}" if self.width else ""
            return f"{self.kind}{self.kernel}{width}" + self._steps(1, same_padding(self.kernel))
        return f"{self.kind}{self.kernel}" + self._steps(self.kernel, 0) if self.kind in POOLS else self.kind

    def _steps(self, stride: int, padding: int) -> str:
        """Stride and padding, where they are not the usual ones."""
        return (f"/{self.stride}" if self.stride != stride else "") + (f"p{self.padding}" if self.padding != padding else "")


def same_padding(kernel: int) -> int:
    """Padding per side that keeps the size at stride 1 (odd kernels; an even one loses a pixel)."""
    return (kernel - 1) // 2


def parse(text: str) -> tuple[LayerSpec, ...]:
    """Reads the notation, repeats unrolled, INPUT left out.

    Args:
        text: e.g. `INPUT -> [CONV3-32 -> BN -> RELU]*2 -> POOL? -> FC`; case does not matter.

    Raises:
        ConfigError: with the place, what was expected there, and the nearest thing that was perhaps meant.
    """
    reader = _Reader(text)
    layers = reader.read()
    _check_order(text, layers)
    return tuple(layers)


def fail(text: str, at: int, length: int, what: str, next: str) -> NoReturn:
    """Raises ConfigError with the text and a caret under what is wrong in it."""
    start = max(0, at - _LINE * 2 // 3)
    line = "".join(char if char.isprintable() else " " for char in text)[start : start + _LINE]
    marks = " " * (at - start) + "^" * max(1, min(length, _LINE - (at - start)))
    before, shift = ("... ", "    ") if start else ("", "")
    indent = "\n" + " " * 9
    raise ConfigError(what, where=f"character {at + 1} of the layers{indent}{before}{line}{indent}{shift}{marks}", next=next)


@dataclass(frozen=True)
class _Token:
    text: str
    at: int


class _Reader:
    """Recursive descent over the tokens; `here` is the token to be read next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_Token(match[0], match.start()) for match in _TOKEN.finditer(text)] + [_Token("", len(text.rstrip()))]
        self.index = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.here
        self.index += 1
        return token

    def fail(self, token: _Token, what: str, next: str) -> NoReturn:
        fail(self.text, token.at, len(token.text), what, next)

    def expected(self, token: _Token, what: str) -> NoReturn:
        found = f"holds `{token.text}`" if token.text else "ends"
        self.fail(token, f"The layer notation {found} where {what} was expected.", f"Write {what}, as in `INPUT -> [CONV3-32 -> RELU]*2 -> POOL -> FC`.")

    def read(self) -> list[LayerSpec]:
        if self.here.text.upper() == "INPUT":
            self.take()
            if self.here.text != "->":
                self.expected(self.here, "`->`")
            self.take()
        layers = self.chain(0)
        if self.here.text:
            self.expected(self.here, "`->`, `*N` or `?`")
        return layers

    def chain(self, depth: int) -> list[LayerSpec]:
        layers = self.item(depth)
        while self.here.text == "->":
            arrow = self.take()
            layers = layers + self.item(depth)
            self.check_count(arrow, len(layers))
        return layers

    def item(self, depth: int) -> list[LayerSpec]:
        token = self.take()
        layers = self.bracket(token, depth) if token.text == "[" else [self.layer(token)]
        while self.here.text in ("*", "?"):
            layers = self.suffix(self.take(), layers)
        return layers

    def bracket(self, opening: _Token, depth: int) -> list[LayerSpec]:
        if depth == _MAX_DEPTH:
            self.fail(opening, f"The layer notation nests brackets more than {_MAX_DEPTH} deep.", "Unroll the inner brackets.")
        layers = self.chain(depth + 1)
        if not self.here.text:
            self.fail(opening, "This `[` of the layer notation is never closed.", "Write `]` where the repeated layers end.")
        if self.here.text != "]":
            self.expected(self.here, "`->`, `]`, `*N` or `?`")
        self.take()
        return layers

    def suffix(self, mark: _Token, layers: list[LayerSpec]) -> list[LayerSpec]:
        if mark.text == "?":
            return [replace(layer, is_optional=True) for layer in layers]
        if not self.here.text.isdecimal():
            self.expected(self.here, "a number after `*`")
        count = int(self.take().text[:9])
        self.check_count(mark, count * max(1, len(layers)))
        return layers * count

    def check_count(self, token: _Token, count: int) -> None:
        if count > _MAX_LAYERS:
            self.fail(token, f"The layer notation unrolls to {count:,} layers, more than {_MAX_LAYERS:,}.", "Repeat less.")

    def layer(self, token: _Token) -> LayerSpec:
        match = re.fullmatch(r"([A-Z]+)(.*)", token.text.upper())
        if match is None:
            self.expected(token, "a layer or `[`")
        word, rest = match[1], match[2]
        if word not in KINDS:
            self.unknown(token, word, rest)
        spec = self.options(token, KINDS[word], rest)
        return replace(spec, at=token.at, length=len(token.text))

    def unknown(self, token: _Token, word: str, rest: str) -> NoReturn:
        if word == "INPUT":
            self.fail(token, "INPUT stands in the middle of the layer notation.", "Write it first, and once.")
        if word in _IMPLIED:
            self.fail(token, f"{word} is no layer of the notation.", f"Leave it out: {_IMPLIED[word]}.")
        close = difflib.get_close_matches(word, KINDS, n=1, cutoff=0.5)
        meant = _KNOWN_AS.get(word, close[0] if close else "")
        hint = f"Did you mean `{meant}{rest.lower()}`? " if meant else ""
        self.fail(token, f"There is no layer `{token.text}`.", f"{hint}The layers are {', '.join(KINDS)}.")

    def options(self, token: _Token, kind: str, rest: str) -> LayerSpec:
        if kind in FILTERS or kind in POOLS:
            return self.window(token, kind, (_CONV if kind in FILTERS else _POOL).fullmatch(rest))
        if kind == "FC" and (not rest or rest.isdecimal()):
            return LayerSpec(kind, width=self.number(token, rest, "units"))
        if kind == "DROP" and re.fullmatch(r"(\d*\.?\d+)?", rest):
            rate = float(rest or 0.5)  # 0.5: Srivastava et al. 2014
            if rate >= 1:
                self.fail(token, f"{token.text} would drop every unit.", "Give a share in [0, 1), e.g. `DROP0.5`.")
            return LayerSpec(kind, rate=rate)
        if rest:
            self.malformed(token, kind)
        return LayerSpec(kind)

    def malformed(self, token: _Token, kind: str) -> NoReturn:
        form = _FORMS.get(kind, f"{kind} alone, without a number")
        self.fail(token, f"The options of `{token.text}` can't be read.", f"The form is {form}.")

    def window(self, token: _Token, kind: str, match: re.Match[str] | None) -> LayerSpec:
        if match is None:
            self.malformed(token, kind)
        said = match.groupdict()
        filters = kind in FILTERS
        kernel = self.number(token, said["kernel"], "a kernel") or (3 if filters else 2)
        stride = self.number(token, said["stride"], "a stride") or (1 if filters else kernel)
        width = self.number(token, said.get("width"), "channels")
        if filters and kernel > _MAX_BARE_KERNEL and not width:
            self.fail(
                token,
                f"{token.text} asks for a kernel of {kernel}x{kernel}.",
                f"Did you mean {kernel} channels, `{kind}3-{kernel}`? The form is {_FORMS['CONV']}.",
            )
        widest = kernel - 1 if filters else kernel // 2
        padding = int(said["padding"][:9]) if said["padding"] else same_padding(kernel) if filters else 0
        if padding > widest:
            self.fail(token, f"{token.text} pads by {padding}: whole windows would see nothing but padding.", f"Use p{widest} at most.")
        return LayerSpec(kind, kernel, stride, padding, width)

    def number(self, token: _Token, digits: str | None, what: str) -> int:
        """The number, or 0 where none was written."""
        if not digits:
            return 0
        value = int(digits[:9])
        if not 1 <= value <= _MAX_NUMBER:
            self.fail(token, f"{token.text} asks for {what} of {value:,}.", f"Use a number from 1 to {_MAX_NUMBER:,}.")
        return value


def _check_order(text: str, layers: list[LayerSpec]) -> None:
    """The last layer is an FC, no picture layer follows an FC, and WHITEN is the first."""
    if not layers or layers[-1].kind != "FC" or layers[-1].is_optional:
        at, length = (layers[-1].at, layers[-1].length) if layers else (0, len(text))
        fail(text, at, length, "The layer notation does not end with FC.", "End it with `-> FC`: that layer gives the outputs, one per class or value.")
    flat = False
    for number, layer in enumerate(layers):
        if number and layer.kind == "WHITEN":
            fail(text, layer.at, layer.length, f"{layer.name} is fitted to the pixels, and here it is given something else.", "Write it as the first layer.")
        if flat and layer.kind in SPATIAL:
            fail(text, layer.at, layer.length, f"{layer.name} comes after an FC, which leaves no picture to look at.", "Move it before the first FC.")
        flat = flat or layer.kind == "FC"
