"""Hosts beyond this machine: named in the configuration, and confirmed on the command line."""

from __future__ import annotations

from collections.abc import Collection

from loadstone.config.load import Project


def named_twice(project: Project, confirmed: Collection[str]) -> tuple[str, ...]:
    """Return those of the `confirmed` hosts that `compare.allowed_hosts` names, too."""
    return tuple(host for host in confirmed if host in project.raw.compare.allowed_hosts)


def how_to_allow(host: str) -> str:
    """Return what to do about a host that is refused."""
    return (
        f'if you mean it, write allowed_hosts = ["{host}"] below [compare] in loadstone.toml, '
        f"and confirm it: --allow-host {host}"
    )
