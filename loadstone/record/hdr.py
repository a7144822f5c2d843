"""Export to HdrHistogram's V2 encoding and log format, which other tools read.

Source: the V2 section of HdrHistogram's `AbstractHistogram.java` (encoding) and
`HistogramLogWriter.java` (log lines). Our buckets are those of a histogram with two
significant digits, so that counts are copied, never re-binned.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable

from loadstone.record.histogram import LARGEST_US, Histogram
from loadstone.record.recording import Recording, Time

_V2_COOKIE = 0x1C849303 | 0x10
_V2_COMPRESSED_COOKIE = 0x1C849304 | 0x10
_SIGNIFICANT_DIGITS = 2
_US_PER_MS = 1000.0


def encode_v2(histogram: Histogram) -> bytes:
    """Return the compressed V2 encoding, in microseconds."""
    counts = _zigzag(_runs(histogram))
    header = struct.pack(
        ">iiiiqqd", _V2_COOKIE, len(counts), 0, _SIGNIFICANT_DIGITS, 1, LARGEST_US, 1.0
    )  # normalising offset, digits, lowest and highest trackable value, conversion ratio
    packed = zlib.compress(header + counts)
    return struct.pack(">ii", _V2_COMPRESSED_COOKIE, len(packed)) + packed


def log_lines(recording: Recording, time: Time = "response") -> Iterable[str]:
    """Yield a histogram log: a line for each window and key, tagged `variant/endpoint/outcome`."""
    yield "#[Histogram log format version 1.3]"
    yield f"#[{time} times in microseconds; tags are variant/endpoint/outcome]"
    yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    for window, cells in sorted(recording.windows.items()):
        for key, times in sorted(cells.items()):
            histogram: Histogram = getattr(times, time)
            tag = "".join(
                "_" if one in ",\r\n " else one for one in f"{key.variant}/{key.endpoint}/{key.outcome.label}"
            )
            text = base64.b64encode(encode_v2(histogram)).decode()
            largest = histogram.max_us / _US_PER_MS
            yield f"Tag={tag},{window.start_s:.3f},{window.width_s:.3f},{largest:.3f},{text}"


def _runs(histogram: Histogram) -> Iterable[int]:
    """Yield counts by bucket, a run of n empty buckets as -n."""
    following = 0
    for bucket, count in zip(histogram.buckets.tolist(), histogram.counts.tolist(), strict=True):
        if bucket > following:
            yield following - bucket
        yield count
        following = bucket + 1


def _zigzag(numbers: Iterable[int]) -> bytes:
    """Return numbers as ZigZag LEB128 of at most nine bytes; the ninth has eight bits of its own."""
    out = bytearray()
    for number in numbers:
        rest = (number << 1) ^ (number >> 63)
        for _ in range(8):
            if rest < 0x80:  # noqa: PLR2004 - seven bits a byte
                break
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)
