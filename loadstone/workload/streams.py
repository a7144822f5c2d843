"""Private random streams for users that share one process.

Locust, and scenarios, draw from the module-level functions of `random`, which all
greenlets share: which number a user gets then depends on who asked before. Here
these functions dispatch to a stream that belongs to the calling user: to its
greenlet and to those that it spawns.
"""

from __future__ import annotations

import random
from typing import Any

import gevent

from loadstone.stats.streams import Part, stream_seed

_KEY = "loadstone_stream"
_shared = random.Random()  # noqa: S311 - journeys are random, not secret
_FUNCTIONS = (
    "random", "uniform", "triangular", "randint", "choice", "choices", "randrange", "sample", "shuffle",
    "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "gauss",
    "betavariate", "binomialvariate", "paretovariate", "weibullvariate", "getrandbits", "randbytes",
    "seed", "getstate", "setstate",
)  # fmt: skip


def use_stream(*parts: Part) -> None:
    """Give the calling greenlet, and those it spawns, the stream named by `parts`.

    To be called in a greenlet that the main one spawned: gevent keeps one dictionary
    for it and for all that descend from it.
    """
    current: Any = gevent.getcurrent()
    owned = current.spawn_tree_locals
    stream = owned.get(_KEY)
    if stream is None:
        owned[_KEY] = random.Random(stream_seed(*parts))  # noqa: S311 - journeys are random, not secret
    else:
        stream.seed(stream_seed(*parts))


def adopt_stream(stream: random.Random) -> None:
    """Give the calling greenlet, and those it spawns, this very stream."""
    current: Any = gevent.getcurrent()
    # a dictionary of its own: greenlets that were spawned in the hub would share one
    current.spawn_tree_locals = {_KEY: stream}


def install() -> None:
    """Replace the functions of module `random`; call before a scenario is imported."""
    for name in _FUNCTIONS:
        if hasattr(random.Random, name):
            setattr(random, name, _dispatcher(name))


def _dispatcher(name: str) -> Any:  # noqa: ANN401 - stands for functions of many signatures
    def dispatch(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        owned = getattr(gevent.getcurrent(), "spawn_tree_locals", None)
        stream = owned.get(_KEY, _shared) if owned else _shared
        return getattr(stream, name)(*args, **kwargs)

    dispatch.__name__ = name
    dispatch.__doc__ = getattr(random.Random, name).__doc__
    return dispatch
