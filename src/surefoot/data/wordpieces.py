"""Tokenizers that came with a pretrained net (`tokenizer.json` of Hugging Face): the extra `[pretrained]`.

Codes are the tokenizer's own plus 2, so that 0 stays padding and 1 the unknown token, as in our own vocabularies. What the tokenizer puts
around a text (such as [CLS] and [SEP]) is kept.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from surefoot.types.errors import ConfigError, UsageError

FILE = "tokenizer.json"
MOST_BYTES = 8 * 2**20
"""It ships inside preprocess.json, which each prediction reads."""

_SPECIAL = {0: ("[PAD]", "<pad>"), 1: ("[UNK]", "<unk>")}


def read_tokenizer(name: str, root: Path) -> str:
    """The content of a `tokenizer.json`, as it ships in the recipe.

    Args:
        name: the file, or a folder that holds it; relative to `root` or absolute.

    Raises:
        ConfigError: it is not there, no tokenizer, or too large. UsageError: the extra is not installed.
    """
    where, path = f"data.tokenizer = {name!r}", root / Path(name).expanduser()
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        seen = ", ".join(sorted(one.name for one in path.iterdir())[:10]) if path.is_dir() else ""
        raise ConfigError(
            f"There is no {file.name} in {path}." if path.is_dir() else f"There is no {name!r}.",
            where=where,
            next=f"Name a {FILE}, or a local folder that holds one{f'; this one holds {seen}' if seen else ''}. Nothing is downloaded.",
        )
    if file.stat().st_size > MOST_BYTES:
        raise ConfigError(
            f"{file.name} has {file.stat().st_size:,} bytes, more than {MOST_BYTES:,}: it would ship with every model.", where=where, next="Take a smaller one."
        )
    try:
        content = json.dumps(json.loads(file.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":"))
    except ValueError as error:
        raise ConfigError(f"{file.name} is no JSON: {error}.", where=where, next="Copy it again.") from error
    try:
        load_tokenizer(content)
    except ValueError as error:
        raise ConfigError(f"{file.name} is no tokenizer: {error}.", where=where, next="Name the file that was saved with the pretrained net.") from error
    return content


@functools.lru_cache(maxsize=4)
def load_tokenizer(content: str) -> Any:
    """The tokenizer of a recipe, without padding and cutting of its own.

    Raises:
        UsageError: the extra is not installed. ValueError: the content is no tokenizer.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError(
            "Pretrained tokenizers need the package tokenizers, which is not installed.",
            where="data.tokenizer",
            next="pip install 'surefoot[pretrained]'; or leave data.tokenizer out: a small vocabulary is then learned from train.",
        ) from error
    try:
        made = Tokenizer.from_str(content)
    except Exception as error:  # the library raises plain Exception
        raise ValueError(" ".join(str(error).split())[:200]) from error
    made.no_padding()
    made.no_truncation()
    return made


def count_pieces(content: str) -> int:
    """How many codes there are."""
    return max(load_tokenizer(content).get_vocab(with_added_tokens=True).values(), default=-1) + 1 + len(_SPECIAL)


def encode_pieces(texts: list[str], content: str) -> list[list[int]]:
    """The codes of each text, of any length."""
    tokenizer = load_tokenizer(content)
    special = {own: code for code, words in _SPECIAL.items() for word in words if (own := tokenizer.token_to_id(word)) is not None}
    clean = [text.encode("utf-8", "replace").decode() for text in texts]  # half a surrogate pair is no text to it
    return [[special.get(own, own + len(_SPECIAL)) for own in one.ids] for one in tokenizer.encode_batch(clean)]
