"""A machine is described by facts, and two machines are alike by those that matter."""

import pytest

from loadstone.record import machine
from loadstone.record.machine import (
    CpuSampler,
    CpuTimes,
    describe_machine,
    read_cpu_times,
    steal,
    utilisation,
)


def test_the_same_machine_has_the_same_fingerprint():
    assert describe_machine() == describe_machine()
    assert describe_machine().cores >= 1
    assert describe_machine().memory_bytes > 1 << 28


def test_identity_makes_machines_unlike_and_versions_do_not(monkeypatch):
    before = describe_machine()
    facts = [
        machine.Fact(fact.name, lambda: "other", fact.identity) if fact.name == "locust" else fact
        for fact in machine.FACTS
    ]
    monkeypatch.setattr(machine, "FACTS", facts)
    assert describe_machine().facts["locust"] == "other"
    assert describe_machine().fingerprint == before.fingerprint
    monkeypatch.setattr(machine, "cores", lambda: 128)
    assert describe_machine().fingerprint != before.fingerprint


def test_shares_of_cpu_time_are_counted_between_two_readings(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  10 5 5 70 4 3 2 1 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    first = read_cpu_times(stat)
    assert first == CpuTimes(busy=25, idle=74, steal=1)
    later = CpuTimes(busy=55, idle=124, steal=21)
    assert steal(first, later) == pytest.approx(0.2)
    assert utilisation(first, later) == pytest.approx(0.3)


def test_what_the_kernel_does_not_tell_is_unknown(tmp_path):
    assert read_cpu_times(tmp_path / "none") is None
    assert steal(None, CpuTimes(1, 1, 0)) is None
    assert steal(CpuTimes(1, 1, 0), CpuTimes(1, 1, 0)) is None


def test_a_sampler_counts_since_it_was_made():
    sampler = CpuSampler()
    assert sampler.steal() is None or 0 <= sampler.steal() <= 1
    assert sampler.utilisation() is None or 0 <= sampler.utilisation() <= 1
