"""A companion under test: says that it is ready, works when a file appears, and ends when told to."""

import json
import os
import sys
import time
from pathlib import Path

folder, word = Path(sys.argv[1]), sys.argv[2]
if word == "broken":
    sys.exit("no broker anywhere")
(folder / "environment.json").write_text(json.dumps(dict(os.environ)))
sys.stdout.write(f"{word}\n")
sys.stdout.flush()
while True:
    if (folder / "work").exists():
        (folder / "work").unlink()
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
    time.sleep(0.005)
