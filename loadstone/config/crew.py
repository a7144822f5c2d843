"""Who sends the load: how many processes here, how many elsewhere, and where those report."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from loadstone.config.allowed import how_to_allow
from loadstone.config.units import parse_duration
from loadstone.errors import ConfigurationError

MOST_WORKERS = 64
"""On one machine; each is a process."""
LOCUST_PORT = 5557
"""On which Locust's master listens by default."""
WEB_PORT = 8089
"""On which Locust's web UI listens by default."""
TOKEN_VARIABLE = "LOADSTONE_WORKER_TOKEN"  # noqa: S105 - the name of a variable
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Crew:
    """The generator processes of a run."""

    local: int = 1
    """That this run starts."""
    expected: int = 0
    """That connect by themselves, with `loadstone worker`."""
    bind: str = "127.0.0.1"
    """Where Locust's master listens for them."""
    port: int = LOCUST_PORT
    token: str = ""
    """What they must know."""
    target_host: str = ""
    """Under which name they find the target; empty: as this machine does."""
    wait_s: float = 120.0
    web: bool = False
    """Whether Locust's web UI runs."""
    web_port: int = WEB_PORT

    @property
    def total(self) -> int:
        """How many take part."""
        return self.local + self.expected

    @property
    def listen(self) -> str:
        """The address on which the target listens: loopback, unless it is to be found elsewhere."""
        return "127.0.0.1" if self.target_host in {"", *LOOPBACK} else "0.0.0.0"  # noqa: S104 - it was confirmed

    @property
    def distributed(self) -> bool:
        """Whether a Locust master runs."""
        return self.expected > 0 or self.web


@dataclass(frozen=True, slots=True)
class CrewWish:
    """What the command line asks for."""

    workers: int | None = None
    expect_workers: int = 0
    bind: str | None = None
    target_host: str | None = None
    worker_timeout: str = "2m"
    token: str = ""
    web: bool = False
    web_port: int = WEB_PORT
    allowed_hosts: Collection[str] = ()


def compile_crew(wish: CrewWish, named: Collection[str] = ()) -> Crew:
    """Return who sends the load; raises `ConfigurationError`.

    Args:
        wish: what was asked for, with the hosts that the command line confirms.
        named: hosts beyond this machine that the configuration allows.
    """
    local = wish.workers if wish.workers is not None else int(not wish.expect_workers)
    if not 0 <= local <= MOST_WORKERS or wish.expect_workers < 0 or not local + wish.expect_workers:
        raise ConfigurationError(
            f"{local} workers cannot share the load",
            remedy=f"choose between 1 and {MOST_WORKERS}; none only with --expect-workers",
        )
    host, port = parse_address(wish.bind or "127.0.0.1", LOCUST_PORT)
    if wish.bind is not None and not wish.expect_workers:
        raise ConfigurationError("nobody is expected at --bind", remedy="add --expect-workers N")
    if host not in LOOPBACK and not wish.token:
        raise ConfigurationError(
            f"whoever reaches {host}:{port} could take part in the run",
            cause="a master beyond loopback needs a secret that its workers know",
            remedy=f"set {TOKEN_VARIABLE} here and for the workers",
        )
    target = wish.target_host or ""
    if target and target not in LOOPBACK and not (target in named and target in wish.allowed_hosts):
        raise ConfigurationError(
            f"--target-host names {target}, which is not this machine's loopback",
            cause="workers elsewhere would send load there",
            remedy=how_to_allow(target),
        )
    return Crew(
        local=local,
        expected=wish.expect_workers,
        bind=host,
        port=port,
        token=wish.token,
        target_host=target,
        wait_s=parse_duration(wish.worker_timeout),
        web=wish.web,
        web_port=wish.web_port,
    )


def parse_address(text: str, port: int) -> tuple[str, int]:
    """Return host and port of `HOST[:PORT]`; raises `ConfigurationError`."""
    host, _, after = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    try:
        number = int(after) if after else port
    except ValueError:
        number = -1
    if not host or not 0 <= number < 1 << 16:
        raise ConfigurationError(
            f"{text!r} is no address", remedy=f"write HOST or HOST:PORT, as 127.0.0.1:{port}"
        )
    return host.strip("[]"), number
