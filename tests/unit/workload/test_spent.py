"""CPU of process trees between requests: what a child burns is seen, and never taken back."""

import subprocess
import sys

from loadstone.workload.spent import RESCAN_EVERY, ProcessCpu

BURN = "import time\nwhile time.process_time() < 0.2: pass\nprint('burnt', flush=True)\ninput()"


def test_what_a_process_burns_is_counted_and_stays_when_it_ends():
    child = subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    cpu = ProcessCpu([child.pid])
    before = cpu.read_us()
    assert child.stdout.readline() == "burnt\n"
    after = cpu.read_us()
    assert after >= 200_000
    assert after >= before
    child.communicate("\n")
    assert cpu.read_us() >= after


def test_a_descendant_that_comes_up_later_is_found():
    parent = "import subprocess, sys\ninput()\nsubprocess.run([sys.executable, '-c', sys.argv[1]])"
    child = subprocess.Popen(
        [sys.executable, "-c", parent, BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    cpu = ProcessCpu([child.pid])
    cpu.read_us()
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "burnt\n"
    readings = [cpu.read_us() for _ in range(RESCAN_EVERY)]
    assert readings[-1] >= 200_000
    child.communicate("\n")
