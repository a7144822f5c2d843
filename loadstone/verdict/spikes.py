"""The known extra cost of a control: charged to its CPU as to its latency, or taken out of both.

Service times hold it as it was measured, because the clock ran on while the
generator spun. The spin burned the generator's CPU and not the variant's: here the
variant is charged the same share of its own, so that both metrics have to find it.
Taking the cost out again tells what the same requests would have shown without it,
and so how large the effect truly is.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from loadstone.record.journal import CpuSeconds, GenerationLine
from loadstone.record.observations import Rows, Spikes

Sealed = tuple[GenerationLine, Rows]


def charged(line: GenerationLine, rows: Rows, spikes: Spikes, share: float) -> Sealed:
    """Return a generation whose CPU, of single requests and in all, holds the extra cost too.

    Args:
        line: of the journal.
        rows: one a request [n].
        spikes: nanoseconds that were spun inside each service time [n].
        share: what the spiked requests cost more.
    """
    spiked = spikes > 0
    if not spiked.any():
        return line, rows
    with_cost = rows.copy()
    with_cost["cpu_us"][spiked] += np.rint(share * rows["cpu_us"][spiked]).astype(np.uint32)
    requests = np.bincount(rows["variant"], minlength=len(line.cpu))
    touched = np.bincount(rows["variant"][spiked], minlength=len(line.cpu)) / np.maximum(requests, 1)
    cpu = [_more(one, share * float(part)) for one, part in zip(line.cpu, touched, strict=True)]
    return replace(line, cpu=cpu), with_cost


def relieved(line: GenerationLine, rows: Rows, spikes: Spikes) -> Sealed:
    """Return a generation whose service times [n] hold no extra cost."""
    without = rows.copy()
    without["service_us"] -= np.rint(spikes / 1000.0).astype(np.int32)
    return line, without


def _more(cpu: CpuSeconds, share: float) -> CpuSeconds:
    """Charge the server what all of the variant's processes used more."""
    if cpu.server_s is None:
        return cpu
    parts = (cpu.server_s, cpu.database_s, cpu.cache_s, cpu.companions_s)
    used_s = sum(one for one in parts if one is not None)
    return replace(cpu, server_s=cpu.server_s + share * used_s)
