"""Private random streams for users that share one process.

Locust, and scenarios, draw from the module-level functions of `random`, which all
greenlets share: which number a user gets then depends on who asked before. Here
these functions dispatch to a stream that belongs to the calling user's context
(context variables are private to a greenlet and inherited by those it spawns).
"""

from __future__ import annotations

import random
from contextvars import ContextVar
from typing import Any

from loadstone.stats.streams import Part, stream_seed

_current: ContextVar[random.Random | None] = ContextVar("loadstone_stream", default=None)
_shared = random.Random()  # noqa: S311 - journeys are random, not secret
_FUNCTIONS = (
    "random", "uniform", "triangular", "randint", "choice", "choices", "randrange", "sample", "shuffle",
    "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "gauss",
    "betavariate", "binomialvariate", "paretovariate", "weibullvariate", "getrandbits", "randbytes",
    "seed", "getstate", "setstate",
)  # fmt: skip


def use_stream(*parts: Part) -> None:
    """Give the calling greenlet, and those it spawns later, the stream named by `parts`."""
    stream = _current.get()
    if stream is None:
        _current.set(random.Random(stream_seed(*parts)))  # noqa: S311 - journeys are random, not secret
    else:
        stream.seed(stream_seed(*parts))


def leave_stream() -> None:
    """Draw from the process's shared stream again."""
    _current.set(None)


def install() -> None:
    """Replace the functions of module `random`; call before a scenario is imported."""
    for name in _FUNCTIONS:
        if hasattr(random.Random, name):
            setattr(random, name, _dispatcher(name))


def _dispatcher(name: str) -> Any:  # noqa: ANN401 - stands for functions of many signatures
    def dispatch(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        return getattr(_current.get() or _shared, name)(*args, **kwargs)

    dispatch.__name__ = name
    dispatch.__doc__ = getattr(random.Random, name).__doc__
    return dispatch
