"""Each user draws from a stream of its own, whoever else draws in between."""

import json
import subprocess
import sys

SCRIPT = """
import gevent.monkey; gevent.monkey.patch_all()
import gevent, json, random
from loadstone.workload import streams
streams.install()
from random import choice

def user(name, others, out):
    streams.use_stream(1, "pair", 1, name)
    drawn = []
    for _ in range(5):
        drawn += [random.random(), choice("abc"), random.randint(1, 10**6)]
        gevent.sleep(0)
    child = gevent.spawn(random.random)
    drawn.append(child.get())
    out[name] = drawn

alone = {}
gevent.spawn(user, 1, 0, alone).join()
together = {}
gevent.joinall([gevent.spawn(user, name, 7, together) for name in range(8)])
print(json.dumps([alone[1], together[1], together[2]]))
"""


def test_a_users_draws_do_not_depend_on_the_others():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    alone, among_eight, another = json.loads(ran.stdout)
    assert alone == among_eight
    assert alone != another
