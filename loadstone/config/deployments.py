"""Deployments that run by themselves, compared by URL: whose they are, and what may be asked of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from loadstone.config.compile import Wish, experiment_of
from loadstone.config.load import Project
from loadstone.config.model import ANY_ANSWER, Experiment, Recipe, Variant
from loadstone.errors import ConfigurationError
from loadstone.target.urls import is_loopback
from loadstone.verdict.metrics import GATING, split_name

SIZE = "as deployed"
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One side of a comparison: a server that somebody runs."""

    label: str
    url: str
    health: str


def deployments_of(project: Project, before: str, after: str) -> tuple[Deployment, Deployment] | None:
    """Return the deployments that both sides name, or None where neither names one.

    A side is a URL, or the name of a `[variants.NAME]` of the project.

    Raises:
        ConfigurationError: only one side is a deployment, or a URL cannot be used.
    """
    sides = _deployment(project, before), _deployment(project, after)
    if sides[0] is not None and sides[1] is not None:
        return sides[0], sides[1]
    if sides == (None, None):
        return None
    started = after if sides[1] is None else before
    raise ConfigurationError(
        f"{started!r} is no deployment, and the other side is one",
        cause="what is started afresh and what has run for long differ in more than their code",
        remedy="name two URLs (or variants of the configuration), or two commits or choices of toggles",
    )


def compile_deployments(
    project: Project, wish: Wish, sides: tuple[Deployment, Deployment], confirmed: Collection[str]
) -> Experiment:
    """Return the comparison of two deployments.

    Args:
        project: whose scenario and allowed hosts these are.
        wish: what was asked for.
        sides: what is compared.
        confirmed: hosts beyond loopback that the command line names.

    Raises:
        ConfigurationError: a host is not allowed, or something is asked for that only a start can give.
    """
    for side in sides:
        _require_allowed(project, side, confirmed)
    if sides[0].url == sides[1].url and not wish.allow_identical:
        raise ConfigurationError(
            "both variants are the same",
            cause=f"{wish.before} and {wish.after} are {sides[0].url}",
            remedy="name two different deployments, or add --allow-identical to measure the noise",
        )
    _require_possible(wish)
    experiment = experiment_of(
        project,
        replace(wish, gating=_gating(project, wish), tracks=1, pinned=False, steady=False, profile=False),
        (_variant("before", sides[0]), _variant("after", sides[1])),
        SIZE,
    )
    return replace(experiment, title=f"{sides[0].label} → {sides[1].label}")


def parse_deployment(text: str) -> str:
    """Return a deployment's URL as scheme, host and port alone; raises `ConfigurationError`."""
    parts = urlsplit(text)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _unusable(text, str(error)) from error
    if parts.scheme not in SCHEMES or not host:
        raise _unusable(text, "it needs http:// or https://, and a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"the URL of the deployment at {host} holds a name or a password",
            cause="it would stand in plan and report",
            remedy="leave them out of the URL; let the scenario sign in",
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _unusable(text, "a path, query or fragment belongs to the requests, which the scenario makes")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def _deployment(project: Project, side: str) -> Deployment | None:
    named = project.raw.variants.get(side)
    if named is not None:
        return Deployment(side, parse_deployment(named.url), named.health or ANY_ANSWER)
    if "://" not in side:
        return None
    url = parse_deployment(side)
    return Deployment(url, url, ANY_ANSWER)


def _require_allowed(project: Project, side: Deployment, confirmed: Collection[str]) -> None:
    """A host beyond this machine is named twice: in the configuration, and on the command line."""
    host = urlsplit(side.url).hostname or ""
    if is_loopback(host):
        return
    problem, cause = f"{side.url} is not on this machine", "thousands of requests would be sent there"
    if host not in project.raw.compare.allowed_hosts:
        remedy = (
            f'if it is yours and may be loaded, write allowed_hosts = ["{host}"] below [compare] in '
            f"{project.path.name}, and add --allow-host {host}"
        )
        raise ConfigurationError(
            problem, cause=f"{cause}; {project.path.name} does not allow it", remedy=remedy
        )
    if host not in confirmed:
        raise ConfigurationError(
            problem, cause=cause, remedy=f"if you mean it, say so a second time: --allow-host {host}"
        )


def _require_possible(wish: Wish) -> None:
    """Refuse what only a variant that is started can give."""
    asked = (
        (bool(wish.held), "--with", "its choices were made when it was deployed"),
        (wish.size is not None, "--size", "its data are what they are"),
        (wish.controls, "--controls", "a copy of it cannot be started"),
        (bool(wish.profile), "--profile", "its stacks are not ours to sample"),
        ((wish.tracks or 1) > 1, "--tracks", "two generations at once would meet on the same servers"),
        (bool(wish.pinned), "--pin", "it runs where it runs"),
        (bool(wish.steady), "--steady", "its hash seed was drawn when it started"),
        (wish.lane == "load", "--lane load", "offered load between deployments is not compared yet"),
    )
    for is_asked, option, cause in asked:
        if is_asked:
            raise ConfigurationError(
                f"{option} says nothing of a deployment", cause=cause, remedy=f"leave out {option}"
            )


def _gating(project: Project, wish: Wish) -> tuple[str, ...]:
    """Return what decides: all that the table names but CPU, which needs every process of a variant."""
    named = wish.gating or tuple(project.raw.compare.gating)
    for name in (part.strip() for text in named for part in text.split(",")):
        if split_name(name)[1].startswith("cpu"):
            raise ConfigurationError(
                f"{name} of a deployment cannot decide",
                cause="its database and its workers are not ours to read",
                remedy="decide by latencies and errors, such as --gate latency_mean,errors",
            )
    return named or tuple(name for name in GATING if not name.startswith("cpu"))


def _variant(name: str, side: Deployment) -> Variant:
    return Variant(
        name=name,
        label=side.label,
        argv=(),
        directory=Path(),
        env={},
        recipe=Recipe(prepare=(), size=SIZE, seed=0),
        health_path=side.health,
        python=Path(),
        provenance={"runs at": side.url, "started by": "others, before this run"},
        needs_postgres=False,
        needs_redis=False,
        url=side.url,
    )


def _unusable(text: str, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"{text!r} is no URL of a deployment", cause=cause, remedy="write it as http://127.0.0.1:8001"
    )
