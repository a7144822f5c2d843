"""Which Redis is started: a package's, or the system's."""

import sys
from pathlib import Path

import pytest

from loadstone.errors import TargetError
from loadstone.target import redis


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """No package holds a Redis, and nothing is on the PATH; gives the folder that is."""
    monkeypatch.setattr(redis, "PACKAGES", {"no_such_package_a": "a", "no_such_package_b": "b"})
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("nothing")
def test_without_any_the_error_says_what_would_do():
    with pytest.raises(TargetError) as caught:
        redis.program()
    assert (
        caught.value.cause
        == "neither a nor b is installed, and no redis-server or valkey-server is on the PATH"
    )
    assert "--redis-url" in caught.value.remedy


def test_the_system_s_own_will_do(nothing):
    valkey = executable(nothing / "valkey-server")
    assert redis.program() == (valkey, "")
    own = executable(nothing / "redis-server")
    assert redis.program() == (own, "")


def test_a_package_s_comes_before_the_system_s(nothing, monkeypatch, tmp_path):
    executable(nothing / "redis-server")
    room = tmp_path / "site"
    packaged = executable(room / "no_such_package_b" / "bin" / "redis-server")
    (room / "no_such_package_b" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(room), *sys.path])
    assert redis.program() == (Path(packaged), "b")
