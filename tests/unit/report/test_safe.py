"""Text of others cannot steer a terminal or turn a line around."""

from __future__ import annotations

import pytest

from loadstone.report import safe


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\x00", "\u202e", "\u2066", "\u2028", "\x9b", "\ud800"])
def test_characters_that_act_are_written_out(char):
    assert safe.visible(f"a{char}b") == f"a\\u{ord(char):04x}b"


def test_letters_of_any_script_stay():
    assert safe.visible("Größe שלום 価格 🧲") == "Größe שלום 価格 🧲"


def test_line_breaks_stay_only_where_wanted():
    assert safe.visible("a\nb\tc") == "a\\nb\\tc"
    assert safe.visible("a\nb\tc", lines=True) == "a\nb\tc"


def test_a_long_name_is_cut_and_says_how_long_it_was():
    assert safe.name("x" * 10_000) == "x" * safe.NAME_LENGTH + "… (10,000 characters)"


def test_a_name_of_escapes_does_not_grow_past_its_length():
    assert len(safe.name("\x1b" * 500)) < safe.NAME_LENGTH + 30


def test_a_block_keeps_its_lines():
    assert safe.block("- a\n+ b\x1b") == "- a\n+ b\\u001b"
