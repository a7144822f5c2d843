"""Texts that derive from the declaration of the toggles: a page of the docs, an example of an environment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.toggles import DECLARATION, Expectation, Toggle, declared

PAGE = DECLARATION.parent.parent / "docs" / "toggles.md"
EXAMPLE = DECLARATION.parent / ".env.example"

_PAGE_HEAD = """\
# Toggles of the reference shop

Each toggle is one decision that backend teams argue about. It is declared once, in
`target_app/toggles.toml`; this page is written from there by `manage.py toggles_doc`. What a choice claims,
and what it costs where that can be measured, is declared as a comparison with the smallest change that is
expected of it: `loadstone prove` runs it. What no table of `prove` confirms is an expectation, and no more.

| toggle | choices (default in bold) | variable | scope | scenario |
|---|---|---|---|---|
"""
_EXAMPLE_HEAD = """\
# Settings of the shop; written by `manage.py toggles_doc`, except for what is chosen here.
DATABASE_URL=postgresql://USER:PASSWORD@127.0.0.1:5432/shop
REDIS_URL=redis://127.0.0.1:6379/0
# 50 or more random characters: python -c "import secrets; print(secrets.token_urlsafe(48))"
SECRET_KEY=

# local, or production: HTTPS only, and SHOP_ALLOWED_HOSTS is required
SHOP_ENV=local
SHOP_CACHE_SECONDS=300
SHOP_THROTTLE_RATE=1000/s
# The carrier that /api/v1/delivery asks: an address, or one of its own that takes so long
SHOP_CARRIER_URL=
SHOP_CARRIER_MS=50
# What a GraphQL query may ask for: levels, fields; and whether the schema (not in production)
SHOP_GRAPHQL_DEPTH=6
SHOP_GRAPHQL_COST=2000
SHOP_GRAPHQL_INTROSPECTION=true
# With SHOP_TASKS=celery: attempts before a task is a dead letter; the wait after the first, which doubles
SHOP_TASK_ATTEMPTS=5
SHOP_TASK_BACKOFF_MS=1000
# Redis gives a message to another worker when it was not acknowledged for so long
SHOP_TASK_VISIBILITY_SECONDS=600
# With SHOP_BROKER=rabbitmq: amqp://USER:PASSWORD@HOST:5672/
SHOP_RABBITMQ_URL=
# With SHOP_DB_CONNECTIONS=pgbouncer: connections to PostgreSQL that a server's pooler keeps
SHOP_POOL_SIZE=4

"""


def texts() -> dict[Path, str]:
    """Return the text of each derived file."""
    toggles = declared().values()
    return {PAGE: _page(toggles), EXAMPLE: _example(toggles)}


def _page(toggles: Iterable[Toggle]) -> str:
    rows = "".join(
        f"| [`{each.name}`](#{each.name}) | {_choices(each)} | `{each.env}` | {each.scope} "
        f"| [`{Path(each.scenario).name}`](../{each.scenario}) |\n"
        for each in toggles
    )
    return _PAGE_HEAD + rows + "".join(map(_section, toggles))


def _section(toggle: Toggle) -> str:
    lines = [
        f"\n## {toggle.name}\n",
        f"{toggle.title}.\n",
        f"Claim: {toggle.claim}\n",
        *_expectations(toggle.claims),
        f"Price: {toggle.price}\n",
        *_expectations(toggle.prices),
    ]
    if toggle.given:
        held = ", ".join(f"`{name}={choice}`" for name, choice in toggle.given.items())
        lines.append(f"Compared with {held}, unless said otherwise.\n")
    lines += [
        f"`{toggle.name}={choice}` is available where `{variable}` is set.\n"
        for choice, variable in toggle.needs.items()
    ]
    lines += [
        f"`{toggle.name}={choice}` is available where a program `{program}` is on the `PATH`.\n"
        for choice, program in toggle.programs.items()
    ]
    for choice, statements in toggle.ddl.items():
        if statements:
            lines.append(f"`{toggle.name}={choice}` adds:\n\n```sql\n" + ";\n".join(statements) + ";\n```\n")
    return "\n".join(lines)


def _expectations(expected: dict[str, Expectation]) -> list[str]:
    lines = [f"- `{choice}` against `{each.before}`: {_tell(each)}\n" for choice, each in expected.items()]
    return ["".join(lines)] if lines else []


def _tell(expected: Expectation) -> str:
    where = f" of `{expected.endpoint}`" if expected.endpoint else ""
    size = f", size {expected.size}" if expected.size else ""
    held = "".join(f", with `{name}={choice}`" for name, choice in expected.given.items())
    scenario = f"[`{Path(expected.scenario).name}`](../{expected.scenario})"
    bound = f"at most {expected.at_most}" if expected.at_most else f"at least {expected.at_least}"
    told = f"`{expected.metric}`{where} {expected.direction} by {bound} in {scenario}"
    beside = f", {expected.in_flight} requests at once" if expected.in_flight > 1 else ""
    return f"{told}{size}{beside}{held}.{f' {expected.says}' if expected.says else ''}"


def _choices(toggle: Toggle) -> str:
    return ", ".join(f"**{choice}**" if choice == toggle.default else choice for choice in toggle.choices)


def _example(toggles: Iterable[Toggle]) -> str:
    return _EXAMPLE_HEAD + "".join(
        f"# {each.title}: {', '.join(each.choices)}\n{each.env}={each.default}\n" for each in toggles
    )
