"""Whatever comes in, each parser gives a value or one clear error, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsers import parsers

from loadstone.errors import ConfigurationError, ExitCode, LoadstoneError
from loadstone.record.folder import load_result

NAMES = list(parsers(Path()))
EVIL = [
    b"\xff\xfe",
    b"\0",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"9" * 5000,
    b"a = " + b"9" * 5000,
    b"-1",
    b"1e999",
    b"nan",
    b"null",
    b'"\\ud800"',
    b"\xd9\xa1/\xd9\xa1s",
    b"a = " + b"[" * 3000,
    b'{"log":' + b"[" * 3000,
    b"200/" + b"9" * 400 + b"s",
    b"(1/1s)*" + b"9" * 5000,
    b"\xff\xff\xff\xff",
    b"\0\0\0\1\xc1",
]


def judged(parse, data: bytes) -> None:
    try:
        parse(data)
    except LoadstoneError as error:
        told = error
    else:
        return
    assert told.problem
    assert "Traceback" not in str(told)
    assert told.exit_code in {ExitCode.USAGE, ExitCode.INVALID}


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_evil_inputs(name, tmp_path):
    parse, seeds = parsers(tmp_path)[name]
    for data in (*seeds, *EVIL, b""):
        judged(parse, data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=64), key=st.integers(0, 2**32))
def test_whatever_a_seed_is_turned_into(name, tmp_path, noise, key):
    """One seed, cut at two places drawn from `key`, with noise between them."""
    parse, seeds = parsers(tmp_path)[name]
    draw = random.Random(key)
    seed = draw.choice(seeds)
    at, to = sorted(draw.randint(0, len(seed)) for _ in range(2))
    judged(parse, seed[:at] + noise + seed[to:])


def result_text() -> dict:
    from results import improved

    from loadstone.record.result import encode

    return json.loads(encode(improved()))


@pytest.mark.parametrize("version", ["1.0", "1.3", "1.99"])
def test_results_of_older_and_newer_minor_versions_are_read(tmp_path, version):
    told = result_text() | {"schema_version": version}
    if version == "1.0":
        del told["prices"]
    if version == "1.99":
        told["of_the_future"] = {"a": [1]}
    (tmp_path / "result.json").write_text(json.dumps(told))
    assert load_result(tmp_path).schema_version == version


@pytest.mark.parametrize("version", ["0.9", "2.0", "", None, 1.3])
def test_results_of_another_major_version_are_refused_with_a_remedy(tmp_path, version):
    (tmp_path / "result.json").write_text(json.dumps(result_text() | {"schema_version": version}))
    with pytest.raises(ConfigurationError, match="no result that this version reads") as caught:
        load_result(tmp_path)
    assert "with the version of Loadstone that wrote it" in caught.value.remedy
