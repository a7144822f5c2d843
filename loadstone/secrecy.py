"""Keeping secrets out of what is written down: names that tell of one, and texts without them.

A secret is known by its name (a header, a parameter, a JSON key, an environment
variable), by its place in a URL, or because whoever starts a process knows its value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "…"
LEAST_VALUE = 8
"""Letters of an environment variable's value below which it is a word, and no secret."""
SECRET_HEADERS = frozenset(
    {"cookie", "set-cookie", "authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token",
     "x-csrf-token", "x-csrftoken", "x-xsrf-token", "x-amz-security-token"}
)  # fmt: skip
_CERTAIN = (
    r"pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|api[_-]?keys?|apikey|private[_-]?key|access[_-]?key|"
    r"credentials?"
)
_SOMETIMES = r"auth|signature|sig|session(?:id)?|otp|pin|credit[_-]?card|cvv|jwt"
_RUN_TOGETHER = r"accesstoken|refreshtoken|idtoken|middlewaretoken|sessionid"
_CERTAIN_NAME = re.compile(rf"(?:^|[_.\[\]-])(?:{_CERTAIN})(?:$|[_.\[\]-])|{_RUN_TOGETHER}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    rf"(?:^|[_.\[\]-])(?:{_CERTAIN}|{_SOMETIMES})(?:$|[_.\[\]-])|{_RUN_TOGETHER}", re.IGNORECASE
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s\"'<>]*@")
_NAME = r"[A-Za-z0-9_.\[\]-]{1,64}"
_ASSIGNED = re.compile(rf"(?<![A-Za-z0-9_.\[\]-])({_NAME})=([^&\s\"'#;,<>]+)")
_QUOTED = re.compile(
    rf"(\\*[\"'])({_NAME})(\\*[\"']\s{{0,4}}[:=]\s{{0,4}}\\*([\"']))((?:(?!\\*\4)[^\n]){{1,4096}})"
)
_HEADERS = "|".join(sorted(SECRET_HEADERS, key=len, reverse=True))
_HEADER = re.compile(rf"(?<![A-Za-z0-9-])({_HEADERS})(\s{{0,4}}:\s{{0,4}})([^\n\"']+)", re.IGNORECASE)
_SCHEME = re.compile(r"\b(Bearer|Basic|Token)\s+(?=\S{0,512}[\d=])[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)


def told(error: BaseException) -> str:
    """Return an error's type and what it says, without secrets: it may quote what was sent."""
    return clean(f"{type(error).__name__}: {error}", *telling_values(os.environ))


def is_secret_name(name: str) -> bool:
    """Tell whether what a parameter, field or header of this name holds is to be kept secret."""
    return name.lower() in SECRET_HEADERS or _SECRET_NAME.search(_HUMP.sub("_", name)) is not None


def clean(text: str, *secrets: str) -> str:
    """Return `text` with each of `secrets`, and whatever shows itself to be one, replaced by dots.

    Credentials in URLs, parameters, quoted fields and headers with telling names, and what follows
    `Bearer`. In prose the name must leave no doubt: `auth=jwt` is the choice of a toggle.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN).replace(quote(secret, safe=""), HIDDEN)
    if "://" in text:
        text = _CREDENTIALS.sub(f"{HIDDEN}@", text)
    if "=" in text:
        text = _ASSIGNED.sub(_without_value, text)
    text = _QUOTED.sub(_without_quoted, text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    return _SCHEME.sub(rf"\1 {HIDDEN}", text)


@lru_cache(maxsize=4096)
def clean_address(address: str) -> str:
    """Return an address, or an endpoint's name made of one, without credentials and secret parameters."""
    return clean(address) if "=" in address or "@" in address else address


def clean_words(argv: Iterable[str]) -> list[str]:
    """Return a command's words without the values of options with telling names."""
    words: list[str] = []
    hide = False
    for word in argv:
        words.append(HIDDEN if hide and not word.startswith("-") else clean(word))
        hide = word.startswith("--") and "=" not in word and _certain(word.strip("-"))
    return words


def telling_values(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of variables that hold secrets by their name, and the passwords of URLs."""
    found = set()
    for name, value in environment.items():
        if "://" in value and "@" in value:
            found.add(_password(value))
        elif _certain(name) and len(value) >= LEAST_VALUE and not value.startswith(("/", "{")):
            found.add(value)
    return frozenset(found - {""})


def scrub(path: Path, secrets: Collection[str] = ()) -> None:
    """Take secrets out of a log, in place: whoever has it open goes on to append to it."""
    if not path.is_file():
        return
    text = path.read_bytes().decode(errors="surrogateescape")
    cleaned = clean(text, *secrets)
    if cleaned != text:
        path.write_bytes(cleaned.encode(errors="surrogateescape"))


def _certain(name: str) -> bool:
    return name.lower() in SECRET_HEADERS or _CERTAIN_NAME.search(_HUMP.sub("_", name)) is not None


def _without_value(match: re.Match[str]) -> str:
    name = match[1]
    in_query = match.start() > 0 and match.string[match.start() - 1] in "?&"
    hide = is_secret_name(name) if in_query else _certain(name.lstrip("-"))
    return f"{name}={HIDDEN}" if hide else match[0]


def _without_quoted(match: re.Match[str]) -> str:
    hide = _certain(match[2])
    return f"{match[1]}{match[2]}{match[3]}{HIDDEN}" if hide else match[0]


def _password(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""
