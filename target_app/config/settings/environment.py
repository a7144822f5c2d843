"""Reading settings from environment variables, with every problem told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


class Environment:
    """Variables and what is wrong with them.

    Each reader returns a usable value even for a wrong variable, and notes the
    problem; `check` then raises one error that lists them all.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None, *, hint: str = "") -> str:
        """Return a text; without a default the variable is required."""
        value = self._variables.get(name, "")
        if value:
            return value
        if default is None:
            self.problems.append(f"{name} is not set{f': {hint}' if hint else ''}")
            return ""
        return default

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """Return one of `choices`."""
        known = tuple(choices)
        value = self._variables.get(name) or default
        if value in known:
            return value
        close = get_close_matches(value, known, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"
        self.problems.append(f"{name}={value!r} is no choice: {remedy}")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a switch, written `true` or `false`."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """Return a whole number of at least `least`."""
        text = self._variables.get(name) or str(default)
        if text.isdecimal() and int(text) >= least:
            return int(text)
        self.problems.append(f"{name}={text!r} is no whole number of at least {least}")
        return default

    def rate(self, name: str, default: str) -> str:
        """Return a rate such as `1000/s`: a count per s, min, hour or day."""
        text = self._variables.get(name) or default
        count, _, period = text.partition("/")
        if count.isdecimal() and int(count) > 0 and period in {"s", "min", "hour", "day"}:
            return text
        self.problems.append(
            f"{name}={text!r} is no rate: write a count per s, min, hour or day, such as 100/min"
        )
        return default

    def words(self, name: str, default: str) -> list[str]:
        """Return words that are separated by commas."""
        text = self._variables.get(name) or default
        return [word.strip() for word in text.split(",") if word.strip()]

    def postgres(self, name: str) -> dict[str, Any]:
        """Return the parts of a `postgresql://` URL as Django's database settings."""
        url = self.text(name, hint="postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        parts = urlsplit(url)
        database = unquote(parts.path.removeprefix("/"))
        if url and (parts.scheme not in {"postgresql", "postgres"} or not database):
            self.problems.append(
                f"{name} is no URL of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
            )
        return {
            "NAME": database,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(self._port(name, url) or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
        }

    def vendor(self, name: str) -> str:
        """Return whose database a URL names, as Django does; PostgreSQL where it names none."""
        scheme = urlsplit(self._variables.get(name, "")).scheme
        return {"sqlite": "sqlite", "mysql": "mysql", "mariadb": "mysql"}.get(scheme, "postgresql")

    def database(self, name: str) -> dict[str, Any]:
        """Return the database settings of a `postgresql://`, `mysql://`, `mariadb://` or `sqlite:///` URL."""
        vendor = self.vendor(name)
        if vendor == "sqlite":
            return {"ENGINE": "django.db.backends.sqlite3", **self._sqlite(name)}
        if vendor == "mysql":
            return {"ENGINE": "django.db.backends.mysql", **self._mysql(name)}
        return {"ENGINE": "django.db.backends.postgresql", **self.postgres(name)}

    def redis(self, name: str) -> str:
        """Return a `redis://` URL."""
        url = self.text(name, hint="redis://:PASSWORD@HOST:PORT/DATABASE")
        if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            self.problems.append(f"{name} is no URL of the form redis://:PASSWORD@HOST:PORT/DATABASE")
        self._port(name, url)
        return url

    def check(self) -> None:
        """Raise `ImproperlyConfigured` when a variable was wrong."""
        if self.problems:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            raise ImproperlyConfigured(f"the shop's settings are wrong:{lines}")

    def _sqlite(self, name: str) -> dict[str, Any]:
        parts = urlsplit(self.text(name))
        path = unquote(parts.path.removeprefix("/"))
        if parts.netloc or not path:
            self.problems.append(f"{name} is no URL of the form sqlite:////FOLDER/FILE or sqlite:///:memory:")
        # Writers wait for each other from the start of their transactions, instead of failing within.
        options = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode = WAL",
        }
        return {"NAME": path, "OPTIONS": options}

    def _mysql(self, name: str) -> dict[str, Any]:
        if find_spec("MySQLdb") is None:
            self.problems.append(
                f"{name} names MySQL and its driver is not installed: pip install mysqlclient"
            )
        parts = urlsplit(self.text(name))
        database = unquote(parts.path.removeprefix("/"))
        if not database:
            self.problems.append(f"{name} is no URL of the form mysql://USER:PASSWORD@HOST:PORT/DATABASE")
        return {
            "NAME": database,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(self._port(name, self.text(name)) or ""),
            "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
        }

    def _port(self, name: str, url: str) -> int | None:
        try:
            return urlsplit(url).port
        except ValueError:
            self.problems.append(f"{name} has a port that is no number below 65536")
            return None
