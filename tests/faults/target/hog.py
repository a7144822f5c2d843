"""Burn a core for as long as a request of the judged variant goes on: `hog.py FLAG CORE`."""

import mmap
import os
import sys
import time

os.sched_setaffinity(0, {int(sys.argv[2])})
with open(sys.argv[1], "r+b") as file:  # noqa: PTH123 - nothing but a flag
    flag = mmap.mmap(file.fileno(), 1)
while True:
    if not flag[0]:
        time.sleep(0.0002)
