"""Templates: a recipe's database, built once and kept between runs."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import msgspec

from loadstone.config.model import Recipe, Variant
from loadstone.target import folders, postgres, preparation
from loadstone.target.folders import State
from loadstone.target.postgres import Postgres
from loadstone.target.preparation import Kitchen, Progress, silent
from loadstone.target.processes import Supervisor
from loadstone.target.sql import session

LAYOUT = 2
"""Raised when templates of an older loadstone must not be used any more."""


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

    def __init__(self, state: State, supervisor: Supervisor, postgres_: Postgres, kitchen: Kitchen) -> None:
        self._state = state
        self._supervisor = supervisor
        self._postgres = postgres_
        self._kitchen = kitchen
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
            self._postgres.create(data, logs / "initdb.log")
        else:
            folders.mirror_folder(base.data, data, self._state.account)
        with self._running(data, logs) as url:
            if base is None:
                self._kitchen.prepare(variant, url, draft, progress)
            else:
                analysed = preparation.apply_ddl(variant.recipe, url, progress)
            _write_out(url)
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

    @contextmanager
    def _running(self, data: Path, logs: Path) -> Iterator[str]:
        cluster = self._postgres.run(data, logs / "postgres.log")
        try:
            yield cluster.url
        finally:
            self._postgres.stop(cluster)


def _write_out(url: str) -> None:
    with session(url) as database:
        database.run("CHECKPOINT")


@contextmanager
def _patient_lock(path: Path, progress: Progress, *, shared: bool = False) -> Iterator[None]:
    with ExitStack() as stack:
        if not stack.enter_context(folders.locked(path, wait=False, shared=shared)):
            progress(preparation.WAITING, None)
            stack.enter_context(folders.locked(path, shared=shared))
        yield
