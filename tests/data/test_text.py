"""Text as data: what reads the same is spelt the same, and words become codes by what train alone has said."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data import wordpieces
from surefoot.data.text import choose_length, encode_texts, is_blank, learn_column, learn_columns, normalise_text, read_texts, split_words
from surefoot.types import ConfigError, UsageError

TEXTS = ["The cat sat", "the CAT ran", "A dog ran", "the dog sat on 12 cats"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Free ENTRY", "free entry"),
        ("&lt;#&gt; &amp; more", "<#> & more"),
        ("&amp;amp;lt;", "<"),
        ("Don\x92t pay \x80 5", "don't pay € 5"),
        ("“quoted” – ‘so’", "\"quoted\" - 'so'"),
        ("ﬁne ＆ wide１２", "fine & wide12"),
        ("free\u200bm\u00adoney", "freemoney"),
        ("a\x00b\tc\r\n d\u00a0e", "a b c d e"),
        ("\ud800half a pair", "half a pair"),
        ("", ""),
    ],
)
def test_what_reads_the_same_is_spelt_the_same(text, plain):
    assert normalise_text(text) == plain


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text):
    once = normalise_text(text)
    assert normalise_text(once) == once


@given(st.text(max_size=80))
def test_words_hold_no_spaces_and_nothing_is_lost_but_spaces(text):
    words = split_words(text)
    assert not [word for word in words if not word or any(sign.isspace() for sign in word)]
    if not any(sign.isdigit() or sign.isnumeric() for sign in text):
        assert "".join(words) == normalise_text(text).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't call 08452810075!!", ["don't", "call", "00000000000", "!", "!"]),
        ("naïve café", ["naïve", "café"]),
        ("日本語 text", ["日", "本", "語", "text"]),
        ("हिन्दी पाठ", ["हिन्दी", "पाठ"]),
        ("a_b c-d", ["a_b", "c", "-", "d"]),
    ],
)
def test_words_are_letters_and_digits_and_each_other_sign_is_its_own(text, words):
    assert split_words(text) == words


def test_the_vocabulary_holds_words_of_two_texts_the_commonest_first():
    column, why = learn_column("said", TEXTS)
    assert column["words"] == ["the", "cat", "dog", "ran", "sat"]
    assert "5 words that stand in 2 train texts at least" in why


def test_codes_are_padded_behind_unknown_words_are_1_and_long_texts_are_cut():
    column = {"length": 4, "words": ["the", "cat"]}
    made = encode_texts(["the cat", "zebra the", "", "the the the the the"], column)
    assert made.dtype == np.int32
    assert made.tolist() == [[2, 3, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0], [2, 2, 2, 2]]


def test_vocabularies_of_the_same_length_are_not_mixed_up():
    for words in (["a", "b"], ["b", "a"], ["a", "b"]):
        assert encode_texts(["a"], {"length": 1, "words": list(words)})[0, 0] == 2 + words.index("a")


@pytest.mark.parametrize(
    ("lengths", "asked", "length"), [([3] * 99 + [500], 0, 8), ([30] * 100, 0, 32), ([900] * 10, 0, 256), ([900] * 10, 512, 512), ([0, 0], 0, 8), ([], 0, 8)]
)
def test_the_length_covers_99_in_100_train_texts_and_says_so(lengths, asked, length):
    chosen, why = choose_length(np.asarray(lengths, int), asked)
    assert chosen == length
    assert f"{length} tokens" in why
    assert ("data.tokens" in why) == bool(asked)


def test_missing_texts_are_empty_and_numbers_are_words():
    assert read_texts(np.array([None, "NA", " hi ", 3, float("nan"), "?"], object)) == ["", "", "hi", "3", "", ""]


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \u200b\x00 ", True), ("&nbsp; &#8203;", True), ("x", False), ("!", False), ("&lt;", False)])
def test_a_text_of_nothing_is_blank(text, blank):
    assert is_blank(text) == blank


def test_several_columns_become_several_fields():
    recipes, why = learn_columns({"title": TEXTS, "body": TEXTS}, 16)
    assert [recipe["field"] for recipe in recipes.values()] == ["text", "text2"]
    assert [recipe["length"] for recipe in recipes.values()] == [16, 16]
    assert len(why) == 2


def test_a_book_in_one_cell_is_split_up_to_its_first_hundred_thousand_signs():
    assert len(split_words("word " * 1_000_000)) == 20_000


# pretrained tokenizers


def test_a_tokenizer_that_is_not_there_or_none_is_an_error_that_says_what_to_name(tmp_path):
    with pytest.raises(ConfigError, match="no 'absent"):
        wordpieces.read_tokenizer("absent.json", tmp_path)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "vocab.txt").write_text("a\n")
    with pytest.raises(ConfigError, match=r"no tokenizer\.json in") as caught:
        wordpieces.read_tokenizer("net", tmp_path)
    assert "vocab.txt" in caught.value.next
    (tmp_path / "net" / "tokenizer.json").write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        wordpieces.read_tokenizer("net", tmp_path)


def test_without_the_extra_the_error_says_the_pip_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    wordpieces.load_tokenizer.cache_clear()
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UsageError, match="not installed") as caught:
        wordpieces.read_tokenizer("tokenizer.json", tmp_path)
    assert "pip install 'surefoot[pretrained]'" in caught.value.next


def test_a_pretrained_tokenizer_gives_its_own_codes_plus_2(tmp_path):
    pytest.importorskip("tokenizers", reason="the extra [pretrained] is not installed")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    made = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "cat": 2, "sat": 3}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.save(str(tmp_path / "tokenizer.json"))
    column, why = learn_column("said", TEXTS, 4, wordpieces.read_tokenizer(".", tmp_path))
    assert column["codes"] == 6
    assert "6 codes of the tokenizer" in why
    assert encode_texts(["cat sat zebra", ""], column).tolist() == [[4, 5, 1, 0], [0, 0, 0, 0]]
    with_damage = encode_texts(["\ud800 cat"], column)
    assert 4 in with_damage
