"""Loadstone proves an optimization before it ships."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("loadstone")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
