"""What is kept out of texts, and what is left in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError
from loadstone.secrecy import clean, clean_address, clean_words, is_secret_name, scrub, telling_values


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("GET /a?api_key=k&page=2", "GET /a?api_key=…&page=2"),
        ("/a?sig=abc", "/a?sig=…"),
        ("--token=abc --size=small", "--token=… --size=small"),
        ("Authorization: Bearer abc.def", "Authorization: …"),
        ("sent Bearer eyJhbGciOi.J9", "sent Bearer …"),
        ("{'accessToken': 'abc', 'id': 1}", "{'accessToken': '…', 'id': 1}"),
        (r'"{\"password\": \"abc\"}"', r'"{\"password\": \"…\"}"'),
        ("postgresql://me:p@ss@h/db", "postgresql://…@h/db"),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: …"),
    ],
)
def test_what_shows_itself_to_be_a_secret_is_hidden(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "auth=jwt and pin=core are choices of toggles",
        "unknown field `token` at target.token",
        "Bearer authentication failed, Basic authentication too",
        "page=2 and rate=50:300/2m",
        "see http://127.0.0.1:8000/a@b",
    ],
)
def test_what_is_no_secret_stays(text):
    assert clean(text) == text


@given(st.text(max_size=200), st.text(max_size=20))
def test_cleaning_twice_changes_nothing_more(text, secret):
    once = clean(text, secret)
    assert clean(once) == once
    assert not secret or secret == "…" or "…" in secret or secret not in once.replace("…", "\n\n\n")


def test_cleaning_takes_no_longer_than_the_text_is_long():
    """A quadratic pattern would take hours on this."""
    for piece in ("a", "a.", '"a', "://", "=", "cookie:", "Bearer "):
        assert len(clean(piece * 500_000)) > 0


def test_the_value_after_an_option_is_hidden():
    assert clean_words(["serve", "--api-key", "abc", "{port}", "--password", "--fast"]) == [
        "serve", "--api-key", "…", "{port}", "--password", "--fast",
    ]  # fmt: skip


def test_variables_are_known_by_their_names_and_urls_by_their_passwords():
    environment = {
        "CLIENT_SECRET": "0123456789",
        "TOKEN_FILE": "/run/token",
        "DATABASE_URL": "postgresql://me:p%2Fw@h/db",
        "SHOP_AUTH": "simplejwt",
        "API_KEY": "short",
        "HOME": "/home/somebody",
    }
    assert telling_values(environment) == {"0123456789", "p/w"}


def test_names():
    assert all(
        is_secret_name(name) for name in ("Cookie", "user[password]", "sessionId", "csrfmiddlewaretoken")
    )
    assert not any(is_secret_name(name) for name in ("page", "author", "keyboard", "tokenizer", "pinned"))


def test_an_error_holds_no_secret(monkeypatch):
    monkeypatch.setenv("CI_TOKEN", "canary-value")
    error = ConfigurationError("x canary-value", cause="http://a:b@c/ x", remedy="--token=abc")
    assert str(error) == "x …\ncause: http://…@c/ x\nremedy: --token=…"


def test_a_log_is_cleaned_in_place(tmp_path):
    log = tmp_path / "generator.log"
    log.write_bytes(b"\xff password=abc\n")
    with log.open("ab") as writer:
        scrub(log)
        writer.write(b"more\n")
    assert log.read_bytes() == b"\xff password=\xe2\x80\xa6\nmore\n"
    scrub(tmp_path / "none.log")


def test_addresses_keep_what_is_no_secret():
    assert clean_address("/items/1") == "/items/1"
    assert clean_address("/items?session=abc&a=b") == "/items?session=…&a=b"
