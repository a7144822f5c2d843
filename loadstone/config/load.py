"""Reading `loadstone.toml` and the toggles that it names into a project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from loadstone.config.expectations import Expectation, read_expectations
from loadstone.config.locate import line_of
from loadstone.config.model import PayloadRule, Scope, Toggle
from loadstone.config.rates import parse_rate
from loadstone.config.raw import RawConfig, RawExpectation, RawRule, RawToggle, convert, read_toml
from loadstone.config.thresholds import parse_thresholds
from loadstone.config.units import parse_duration, parse_share
from loadstone.errors import ConfigurationError

FILE_NAME = "loadstone.toml"
STATE_FOLDER = ".loadstone"


@dataclass(frozen=True, slots=True)
class Project:
    """A target and how it is compared, as its files describe it."""

    root: Path
    path: Path
    raw: RawConfig
    toggles: dict[str, Toggle]
    rules: dict[str, PayloadRule]

    @property
    def state(self) -> Path:
        """Folder of templates and slots, which `loadstone clean` removes."""
        return self.root / STATE_FOLDER

    @property
    def reports(self) -> Path:
        """Folder of runs."""
        return self.root / self.raw.compare.reports


def find_config(start: Path) -> Path:
    """Return the nearest `loadstone.toml` in `start` or above; raises `ConfigurationError`."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ConfigurationError(
        f"there is no {FILE_NAME} here",
        cause=f"looked in {start} and every folder above",
        remedy="go to the project's folder, or name the file with --config",
    )


def load_project(path: Path) -> Project:
    """Read a project; raises `ConfigurationError` with file and line."""
    path = path.resolve()
    data, text = read_toml(path)
    toggles = _toggles(data.pop("toggles", {}), path, text, ("toggles",))
    rules = _rules(data.pop("rules", {}), path, text)
    raw = convert(data, RawConfig, path, text)
    if raw.target.toggles is not None:
        more_toggles, more_rules = load_toggles(path.parent / raw.target.toggles)
        toggles |= more_toggles
        rules |= more_rules
    project = Project(root=path.parent, path=path, raw=raw, toggles=toggles, rules=rules)
    _check(project, text)
    return project


def load_toggles(path: Path) -> tuple[dict[str, Toggle], dict[str, PayloadRule]]:
    """Read a toggles file: a table per toggle, and `[rules.NAME]`."""
    data, text = read_toml(path)
    rules = _rules(data.pop("rules", {}), path, text)
    return _toggles(data, path, text, ()), rules


def _toggles(tables: dict[str, Any], path: Path, text: str, below: tuple[str, ...]) -> dict[str, Toggle]:
    """Read each table by itself, so that an error can name it."""
    found = {}
    for name, table in convert(tables, dict[str, Any], path, text, below=below).items():
        keys = (*below, name)
        found[name] = _toggle(name, convert(table, RawToggle, path, text, below=keys), path, text, keys)
    return found


def _rules(tables: dict[str, Any], path: Path, text: str) -> dict[str, PayloadRule]:
    found = {}
    for name, table in convert(tables, dict[str, Any], path, text, below=("rules",)).items():
        found[name] = _rule(name, convert(table, RawRule, path, text, below=("rules", name)))
    return found


def suggest(word: str, known: Mapping[str, object] | list[str] | tuple[str, ...]) -> str:
    """Return a remedy that names the closest known word, or all of them."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none is declared"


def _toggle(name: str, raw: RawToggle, path: Path, text: str, keys: tuple[str, ...]) -> Toggle:
    def bad(problem: str, key: str | tuple[str, ...], remedy: str) -> ConfigurationError:
        line = line_of(text, (*keys, *((key,) if isinstance(key, str) else key)))
        return ConfigurationError(f"toggle {name!r}: {problem}", cause=f"{path}:{line}", remedy=remedy)

    def read(table: dict[str, Any], below: tuple[str, ...]) -> RawExpectation:
        return convert(table, RawExpectation, path, text, below=(*keys, *below))

    if len(set(raw.choices)) < len(raw.choices) or not raw.choices:
        raise bad("its choices must be several different words", "choices", "name each choice once")
    if raw.default not in raw.choices:
        raise bad(f"default {raw.default!r} is no choice", "default", suggest(raw.default, raw.choices))
    if raw.scope not in tuple(Scope):
        raise bad(f"unknown scope {raw.scope!r}", "scope", suggest(raw.scope, [str(one) for one in Scope]))
    for key, named in (("ddl", raw.ddl), ("needs", raw.needs), ("programs", raw.programs)):
        for choice in named:
            if choice not in raw.choices:
                raise bad(f"{key} for {choice!r}, which is no choice", key, suggest(choice, raw.choices))
    return Toggle(
        name=name,
        choices=tuple(raw.choices),
        default=raw.default,
        env=raw.env,
        scope=Scope(raw.scope),
        title=raw.title,
        claim=raw.claim,
        price=raw.price,
        scenario=raw.scenario,
        ddl={choice: tuple(statements) for choice, statements in raw.ddl.items()},
        normalise=tuple(raw.normalise),
        given=dict(raw.given),
        claims=read_expectations(raw, "claims", read, bad, suggest),
        prices=read_expectations(raw, "prices", read, bad, suggest),
        needs=dict(raw.needs),
        programs=dict(raw.programs),
    )


def _rule(name: str, raw: RawRule) -> PayloadRule:
    return PayloadRule(name, tuple(raw.ignore), raw.unwrap, raw.common_prefix, raw.not_modified)


def _check(project: Project, text: str) -> None:
    """Check what shape alone does not say: units, folders, names that refer to others."""

    def at(*keys: str) -> str:
        return f"{project.path}:{line_of(text, keys)}"

    _check_units(project, at)
    _check_target(project, at)
    for toggle in project.toggles.values():
        for rule in toggle.normalise:
            if rule not in project.rules:
                raise ConfigurationError(
                    f"toggle {toggle.name!r} names the payload rule {rule!r}, which is not declared",
                    remedy=suggest(rule, project.rules),
                )
        for name, choice in toggle.given.items():
            check_choice(project, name, choice)
        for expected in (*toggle.claims.values(), *toggle.prices.values()):
            _check_expectation(project, toggle.name, expected)


def _check_expectation(project: Project, toggle: str, expected: Expectation) -> None:
    """Check the scenario, size and other toggles that a claim or price names."""
    problem, remedy = "", ""
    if expected.scenario is not None and not (project.root / expected.scenario).is_file():
        known = [f"scenarios/{path.name}" for path in sorted((project.root / "scenarios").glob("*.py"))]
        problem, remedy = f"there is no scenario {expected.scenario!r}", suggest(expected.scenario, known)
    elif expected.size is not None and expected.size not in project.raw.data.sizes:
        problem, remedy = f"unknown size {expected.size!r}", suggest(expected.size, project.raw.data.sizes)
    for name, choice in () if problem else expected.given.items():
        try:
            check_choice(project, name, choice)
        except ConfigurationError as error:
            problem, remedy = error.problem, error.remedy
        if name == toggle:
            problem, remedy = f"{name!r} is held while it is compared", "leave it out of given"
    if problem:
        raise ConfigurationError(
            f"toggle {toggle!r}, choice {expected.after!r}: {problem}", cause=expected.place, remedy=remedy
        )


def _check_units(project: Project, at: Callable[..., str]) -> None:
    compare, target, load = project.raw.compare, project.raw.target, project.raw.load
    checks: tuple[tuple[tuple[str, str], str, Callable[[str], object]], ...] = (
        (("compare", "margin"), compare.margin, parse_share),
        (("compare", "alpha"), compare.alpha, parse_share),
        (("compare", "budget"), compare.budget, parse_duration),
        (("target", "start_timeout"), target.start_timeout, parse_duration),
        (("load", "duration"), load.duration, parse_duration),
        (("load", "warm_up"), load.warm_up, parse_duration),
        (("load", "drain"), load.drain, parse_duration),
        (("load", "most_lag"), load.most_lag, parse_duration),
        (("load", "most_duration"), load.most_duration, parse_duration),
        *((("load", "rate"), rate, parse_rate) for rate in [load.rate] if rate is not None),
        *((("load", "thresholds"), each, parse_thresholds) for each in load.thresholds),
    )
    for keys, text, parse in checks:
        try:
            parse(text)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{'.'.join(keys)}: {error.problem}",
                cause=f"{at(*keys)}: {error.cause}" if error.cause.startswith("column") else at(*keys),
                remedy=error.remedy,
            ) from error


def _check_target(project: Project, at: Callable[..., str]) -> None:
    target, data = project.raw.target, project.raw.data
    folder = project.root / target.directory
    if not folder.is_dir():
        raise ConfigurationError(
            f"the target's folder {folder} does not exist",
            cause=at("target", "directory"),
            remedy="name an existing folder, relative to loadstone.toml",
        )
    if data.size is not None and data.size not in data.sizes:
        raise ConfigurationError(
            f"data.size {data.size!r} is not one of data.sizes",
            cause=at("data", "size"),
            remedy=suggest(data.size, data.sizes),
        )
    for name, companion in target.companions.items():
        try:
            for toggle, choice in companion.when.items():
                check_choice(project, toggle, choice)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"companion {name!r}: {error.problem}",
                cause=at("target", "companions", name, "when"),
                remedy=error.remedy,
            ) from error
        if not companion.command:
            raise ConfigurationError(
                f"companion {name!r} has no command",
                cause=at("target", "companions", name, "command"),
                remedy="write the words of its command",
            )
    if not target.command:
        return  # nobody starts deployments; whatever starts something says that it is missing
    if not any("{port}" in word for word in target.command):
        raise ConfigurationError(
            "target.command does not say where the port goes",
            cause=at("target", "command"),
            remedy="write {port} where the server takes its port",
        )


def check_choice(project: Project, name: str, choice: str) -> None:
    """Raise `ConfigurationError`, with a suggestion, unless toggle `name` has `choice`."""
    toggle = project.toggles.get(name)
    if toggle is None:
        raise ConfigurationError(f"unknown toggle {name!r}", remedy=suggest(name, project.toggles))
    if choice not in toggle.choices:
        raise ConfigurationError(
            f"toggle {name!r} has no choice {choice!r}",
            cause=f"its choices are {', '.join(toggle.choices)}",
            remedy=suggest(choice, toggle.choices),
        )


def unavailable(project: Project, name: str, choice: str) -> str:
    """Return why a choice of a toggle is not available here; empty where it is."""
    toggle = project.toggles[name]
    variable, program = toggle.needs.get(choice), toggle.programs.get(choice)
    if variable and not (os.environ.get(variable) or project.raw.target.env.get(variable)):
        return f"{variable} is not set"
    if program and not shutil.which(program):
        return f"no program {program} is on the PATH"
    return ""


def require_available(project: Project, choices: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` where one of the choices is not available here."""
    for name, choice in choices.items():
        reason = unavailable(project, name, choice)
        if reason:
            raise ConfigurationError(
                f"{name}={choice} is not available here",
                cause=reason,
                remedy=f"{_provide(project.toggles[name], choice)}, or leave {name} at another choice",
            )


def _provide(toggle: Toggle, choice: str) -> str:
    variable, program = toggle.needs.get(choice), toggle.programs.get(choice)
    return " and ".join(
        [*([f"set {variable}"] if variable else []), *([f"install {program}"] if program else [])]
    )
