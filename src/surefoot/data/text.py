"""Text as data: one spelling for what reads the same, words, a small vocabulary, and the codes that a net takes.

    {"name": "message", "kind": "text", "field": "text", "length": 64, "words": ["you", "to", ...]}

Codes: 0 is padding, 1 a word that the vocabulary does not hold, 2 its first word. Letters: B items, L tokens of a text.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.data.readers.cells import MISSING
from surefoot.data.wordpieces import count_pieces, encode_pieces
from surefoot.types.data_reports import LEAST_TEXTS, UNKNOWN

FIRST = 2
"""The code of the first word."""
MOST_WORDS = 20_000
"""Of a vocabulary (Chollet, Deep Learning with Python, 2nd ed., ch. 11)."""
LENGTH_FRAC, LENGTH_STEP, MOST_TOKENS = 0.99, 8, 256
"""A net reads as many tokens as 99 % of the train texts have, rounded up, at most 256: its cost grows with them, and most texts say early what they say."""
MOST_CHARACTERS = 100_000
"""Of a text that are split into words: more than any length above asks for, and a text as long as a library can't hold up a request."""

_MISSING = frozenset(word.casefold() for word in MISSING.to_pylist())
_QUOTES = dict.fromkeys("‘’‚‛ʼ′`´", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—―−", "-")
_WINDOWS = {chr(code): bytes([code]).decode("cp1252", "ignore") or " " for code in range(0x80, 0xA0)}
"""Controls that were meant as Windows-1252: apostrophes, dashes, the sign of the euro."""
_SIGNS = str.maketrans({control: _QUOTES.get(sign, sign) for control, sign in _WINDOWS.items()} | _QUOTES)
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that are written without spaces: each sign is a word of its own, as in the tokenizer of BERT (Devlin et al. 2019)."""


def normalise_text(text: str) -> str:
    """A text as it is compared and split: what looks and reads the same is spelt the same.

    HTML entities become the signs they stand for (also where they were escaped twice), compatible signs one (Unicode NFKC, UAX #15), letters
    lower case, curly quotes and long dashes plain; controls count as spaces (those that Windows-1252 gives a sign, as that sign), invisible
    signs as nothing, and runs of spaces as one. Two texts of which this is equal are near duplicates.
    """
    text = _fold(text)
    while "&" in text and (plain := html.unescape(text)) != text:
        text = _fold(plain)
    return " ".join(_CONTROLS.sub(" ", _INVISIBLE.sub("", _fold(text.lower()))).split())


def is_blank(text: str) -> bool:
    """Whether nothing of a text is left to read."""
    return ("&" in text or not any(map(str.isalnum, text))) and not normalise_text(text)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_SIGNS))


def split_words(text: str) -> list[str]:
    """The words and signs of a text, in order, normalised; every digit is written 0, so that a number is known by its length.

    Source: Lample et al. 2016, "Neural Architectures for Named Entity Recognition" (digits as zeros).
    """
    return _word_pattern().findall(re.sub(r"\d", "0", normalise_text(text[:MOST_CHARACTERS])))


def read_texts(values: Iterable[Any]) -> list[str]:
    """The texts of a column, from a reader or a request; "" where missing."""
    return [_read_text(value) for value in values]


def _read_text(value: Any) -> str:
    text = "" if value is None or value != value else str(value).strip()  # NaN differs from itself
    return "" if text.casefold() in _MISSING else text


def learn_columns(columns: Mapping[str, Iterable[Any]], length: int = 0, tokenizer: str = "") -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The recipe of each column of text, and why it is so; see `learn_column`. Values are of the train rows alone."""
    learned = {name: learn_column(name, read_texts(values), length, tokenizer) for name, values in columns.items()}
    recipes = {name: made | {"field": f"text{number if number > 1 else ''}"} for number, (name, (made, _)) in enumerate(learned.items(), 1)}
    return recipes, [why for _, why in learned.values()]


def learn_column(name: str, texts: Sequence[str], length: int = 0, tokenizer: str = "") -> tuple[dict[str, Any], str]:
    """The recipe of a column of text, and why it is so.

    Args:
        name: of the column.
        texts: of the train rows alone; "" where missing.
        length: tokens that the net reads; 0: chosen from the texts.
        tokenizer: content of a pretrained one; "": a vocabulary is learned.

    Returns:
        The column without its field; a sentence.
    """
    if tokenizer:
        pieces = encode_pieces([text[:MOST_CHARACTERS] for text in texts], tokenizer)
        chosen, why = choose_length(np.asarray([len(some) for some in pieces], np.int64), length)
        codes = count_pieces(tokenizer)
        return {
            "name": name,
            "kind": "text",
            "length": chosen,
            "tokenizer": tokenizer,
            "codes": codes,
        }, f"{name}: text, {codes:,} codes of the tokenizer; {why}"
    known, counts = Counter[str](), Counter[str]()
    lengths = []
    for text in texts:
        words = split_words(text)
        lengths.append(len(words))
        counts.update(words)
        known.update(set(words))
    often = sorted((word for word, standing in known.items() if standing >= LEAST_TEXTS), key=lambda word: (-counts[word], word))
    kept = often[:MOST_WORDS]
    share = sum(counts[word] for word in kept) / max(sum(counts.values()), 1)
    chosen, why = choose_length(np.asarray(lengths, np.int64), length)
    rule = f"{len(kept):,} words that stand in {LEAST_TEXTS} train texts at least{f', the commonest of {len(often):,}' if len(often) > len(kept) else ''}"
    return {"name": name, "kind": "text", "length": chosen, "words": kept}, f"{name}: text, {rule} ({share:.1%} of what they say); {why}"


def choose_length(lengths: np.ndarray, asked: int = 0) -> tuple[int, str]:
    """How many tokens of a text the net reads, and why. `lengths`: tokens of each train text, int (N,)."""
    longest = int(lengths.max(initial=0))
    needed = int(np.quantile(lengths, LENGTH_FRAC)) if len(lengths) else 0
    length = asked or min(MOST_TOKENS, max(LENGTH_STEP, -(-needed // LENGTH_STEP) * LENGTH_STEP))
    cut = float((lengths > length).mean()) if len(lengths) else 0.0
    said = "as data.tokens says" if asked else f"{LENGTH_FRAC:.0%} of the train texts have {needed:,} or fewer, the longest {longest:,}"
    return length, f"{length} tokens are read ({said}); {cut:.1%} of them are cut"


def count_codes(column: Mapping[str, Any]) -> int:
    """How many codes a column of text has, 0 and 1 included."""
    return column["codes"] if "tokenizer" in column else FIRST + len(column["words"])


def encode_texts(texts: Sequence[str], column: Mapping[str, Any]) -> np.ndarray:
    """Texts as the graph takes them: int32 (B, L), padded behind with 0; longer ones are cut, an empty one is all 0."""
    codes = np.zeros((len(texts), column["length"]), np.int32)
    if "tokenizer" in column:
        found = encode_pieces([text[:MOST_CHARACTERS] for text in texts], column["tokenizer"])
    else:
        index = _index(column["words"])
        found = [[index.get(word, UNKNOWN) for word in split_words(text)[: column["length"]]] for text in texts]
    for row, some in zip(codes, found):
        row[: len(some)] = some[: column["length"]]
    return codes


_INDICES: dict[int, tuple[list[str], dict[str, int]]] = {}


def tell_codes(codes: np.ndarray, column: Mapping[str, Any]) -> str:
    """What a text is once it is packed: its words, `?` for each that is not known; of a pretrained tokenizer its codes.

    Args:
        codes: int32 (L,), as `encode_texts` makes them.
    """
    words = column.get("words")
    return " ".join(str(code) if words is None else "?" if code == UNKNOWN else words[code - FIRST] for code in codes.tolist() if code)


def _index(words: list[str]) -> dict[str, int]:
    """Word -> code. Made once per vocabulary: it takes 2 ms for 20,000 words, ten times as long as answering a request."""
    held = _INDICES.get(id(words))
    if held is None or held[0] is not words:
        while len(_INDICES) >= 8:
            del _INDICES[next(iter(_INDICES))]
        held = _INDICES[id(words)] = (words, {word: code for code, word in enumerate(words, FIRST)})
    return held[1]


@functools.cache
def _word_pattern() -> re.Pattern[str]:
    """A sign of a script without spaces; or letters and digits, with the marks that belong to them and apostrophes inside; or any other sign."""
    marks = "".join(chr(code) for code in range(0x300, 0x1AFF) if unicodedata.category(chr(code)).startswith("M"))
    letter = f"(?:(?![{_ALONE}])[\\w{marks}])"
    return re.compile(f"[{_ALONE}]|{letter}+(?:'{letter}+)*|[^\\w\\s{marks}]")
