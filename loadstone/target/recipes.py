"""Templates: a recipe's database, built once and kept between runs."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import msgspec

from loadstone.config.model import Recipe, Variant
from loadstone.errors import TargetError
from loadstone.target import folders, placeholders, postgres, upkeep
from loadstone.target.folders import State
from loadstone.target.placeholders import Place
from loadstone.target.ports import Ports
from loadstone.target.postgres import DATABASE, Postgres
from loadstone.target.processes import Child, Supervisor
from loadstone.target.redis import Redis
from loadstone.target.sql import quoted, session

LAYOUT = 1
"""Raised when templates of an older loadstone must not be used any more."""
_PERCENT = re.compile(r"(\d{1,3})\s?%")

Progress = Callable[[str, float | None], None]
"""Called with what is being done and, where known, the fraction done."""


def silent(stage: str, fraction: float | None) -> None:
    """Be a Progress that shows nothing."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a template says of itself; its presence means that the template is whole."""

    key: str
    recipe: str
    postgres: str
    layout: int
    built_at: float
    seconds: float
    size_bytes: int
    analysed: list[str]
    """Statements that were needed after DDL; empty for a recipe without DDL."""


@dataclass(frozen=True, slots=True)
class Template:
    """A data folder to copy from, and whether it had to be built."""

    folder: Path
    manifest: Manifest
    built: bool

    @property
    def data(self) -> Path:
        """The cluster's data folder, of a server that was shut down."""
        return self.folder / "data"


def template_key(recipe: Recipe) -> str:
    """Return the name of a recipe's template: the recipe, the server and the layout."""
    server = version(postgres.DISTRIBUTION)
    return hashlib.sha256(f"{recipe.key} {server} {LAYOUT}".encode()).hexdigest()[:12]


class Templates:
    """Builds templates, and holds those in use so that `clean` leaves them alone."""

    def __init__(
        self, state: State, supervisor: Supervisor, ports: Ports, postgres_: Postgres, redis: Redis
    ) -> None:
        self._state = state
        self._supervisor = supervisor
        self._ports = ports
        self._postgres = postgres_
        self._redis = redis
        self._held = ExitStack()
        self._known: dict[str, Template] = {}

    def close(self) -> None:
        """Let go of the templates."""
        self._held.close()

    def get(self, recipe: Recipe) -> Template:
        """Return a template that `ensure` has seen to."""
        return self._known[template_key(recipe)]

    def ensure(self, variant: Variant, progress: Progress = silent) -> Template:
        """Return the template of a variant's recipe, built if there is none.

        Only one run builds a template; another waits for it. Raises TargetError
        when a command of the recipe fails, with the tail of what it wrote.
        """
        key = template_key(variant.recipe)
        built = False
        while key not in self._known:
            with ExitStack() as held:
                held.enter_context(_patient_lock(self._lock(key), progress, shared=True))
                found = self._find(key, built=built)
                if found is not None:
                    self._known[key] = found
                    self._held.push(held.pop_all())
                    break
            self._make(key, variant, self._base(variant, progress), progress)
            built = True
        return self._known[key]

    def _base(self, variant: Variant, progress: Progress) -> Template | None:
        """See to the same recipe without DDL, so that its data are made once for all DDL."""
        if not variant.recipe.ddl:
            return None
        return self.ensure(replace(variant, recipe=replace(variant.recipe, ddl=())), progress)

    def _lock(self, key: str) -> Path:
        return self._state.templates / f"{key}.lock"

    def _find(self, key: str, *, built: bool = False) -> Template | None:
        folder = self._state.templates / key
        try:
            manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError):
            return None
        return Template(folder, manifest, built)

    def _make(self, key: str, variant: Variant, base: Template | None, progress: Progress) -> None:
        with _patient_lock(self._lock(key), progress):
            if self._find(key) is not None:
                return
            draft = folders.passable_folder(self._state.templates / f"{key}.{self._supervisor.token}")
            self._supervisor.remove_at_end(draft)
            try:
                self._build(draft, key, variant, base, progress)
                os.sync()  # the server ran without flushing; the manifest must not outlive its data
                folders.remove(self._state.templates / key)  # a damaged one
                draft.rename(self._state.templates / key)
            finally:
                folders.remove(draft)

    def _build(
        self, draft: Path, key: str, variant: Variant, base: Template | None, progress: Progress
    ) -> None:
        started = time.monotonic()
        data, logs = draft / "data", folders.private_folder(draft / "logs")
        analysed: list[str] = []
        if base is None:
            progress("making an empty database", None)
            folders.private_folder(data, self._state.account)
            self._postgres.create(data, logs / "initdb.log")
            self._create_database(data, logs)
        else:
            folders.copy_folder(base.data, data, self._state.account)
        with self._running(data, logs) as url:
            if base is None:
                self._prepare(variant, url, draft, progress)
                progress("vacuuming and analysing", None)
                with session(url) as database:
                    upkeep.keep_all(database)
            else:
                analysed = _apply_ddl(variant.recipe, url, progress)
        manifest = Manifest(
            key=key,
            recipe=variant.recipe.key,
            postgres=version(postgres.DISTRIBUTION),
            layout=LAYOUT,
            built_at=time.time(),
            seconds=time.monotonic() - started,
            size_bytes=folders.folder_bytes(data),
            analysed=analysed,
        )
        (draft / "manifest.json").write_bytes(msgspec.json.encode(manifest))

    def _create_database(self, data: Path, logs: Path) -> None:
        cluster = self._postgres.run(data, logs / "postgres.log", database="postgres")
        try:
            with session(cluster.url) as database:
                database.run(f"CREATE DATABASE {quoted(DATABASE)}")
        finally:
            self._postgres.stop(cluster)

    @contextmanager
    def _running(self, data: Path, logs: Path) -> Iterator[str]:
        cluster = self._postgres.run(data, logs / "postgres.log")
        try:
            yield cluster.url
        finally:
            self._postgres.stop(cluster)

    def _prepare(self, variant: Variant, url: str, draft: Path, progress: Progress) -> None:
        """Run the recipe's commands against a database, with a Redis beside it."""
        scratch = folders.private_folder(draft / "scratch")
        home = folders.private_folder(draft / "redis", self._state.account)
        cache = self._redis.await_ready(self._redis.start(home, draft / "logs" / "redis.log"))
        port = self._ports.take()
        place = Place(port, url, cache.url, scratch)
        try:
            for number, words in enumerate(variant.recipe.prepare, 1):
                self._run(words, number, variant, place, draft / "logs", progress)
        finally:
            self._ports.give_back(port)
            self._redis.stop(cache)
            folders.remove(scratch)
            folders.remove(home)

    def _run(
        self,
        words: tuple[str, ...],
        number: int,
        variant: Variant,
        place: Place,
        logs: Path,
        progress: Progress,
    ) -> None:
        label = " ".join(words).replace("{python} ", "")
        stage = f"preparing data ({number} of {len(variant.recipe.prepare)}): {label}"
        progress(stage, None)

        def tick(child: Child, elapsed_s: float) -> None:
            percent = _PERCENT.findall(child.log_tail(1))
            progress(f"{stage}, {elapsed_s:.0f} s", min(int(percent[-1]), 100) / 100 if percent else None)

        child = self._supervisor.run(
            label,
            placeholders.command(words, variant, place),
            log=logs / f"prepare-{number}.log",
            cwd=variant.directory,
            env=placeholders.environment(variant, place),
            tick=tick,
        )
        if child.process.returncode != 0:
            raise TargetError(
                f"preparing the data of {variant.label} failed: `{label}` {child.ending()}",
                cause=child.log_tail(),
                remedy=f"run it by hand in {variant.directory}",
            )


@contextmanager
def _patient_lock(path: Path, progress: Progress, *, shared: bool = False) -> Iterator[None]:
    with ExitStack() as stack:
        if not stack.enter_context(folders.locked(path, wait=False, shared=shared)):
            progress("waiting for another run to build the same data", None)
            stack.enter_context(folders.locked(path, shared=shared))
        yield


def _apply_ddl(recipe: Recipe, url: str, progress: Progress) -> list[str]:
    with session(url) as database:
        for statement in recipe.ddl:
            progress(f"changing the schema: {statement}", None)
            try:
                database.run(statement)
            except TargetError as error:
                raise _ddl_error(statement, error.cause) from error
        return upkeep.keep_new(database)


def _ddl_error(statement: str, cause: str) -> TargetError:
    return TargetError(
        f"the schema change `{statement}` failed", cause=cause, remedy="correct the toggle's ddl"
    )
