"""Messages arrive as they were sent, and nonsense is one clear error."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.errors import MeasurementError
from loadstone.workload.protocol import Channel, Exchange, Hello, Progress, RunPairs, Side


@pytest.fixture
def pipe():
    left, right = socket.socketpair()
    right.settimeout(5)
    yield left, Channel(left), Channel(right)
    left.close()
    right.close()


@pytest.mark.parametrize(
    "message",
    [
        Hello(token="t", pid=1, locust_version="2"),
        Progress(pairs=7),
        RunPairs(
            sides=[Side(variant="before", base_url="http://127.0.0.1:1")],
            users=1, seed=1, generation=1, health_path="/", warm_s=1.0, warm_pairs=1, measure_s=1.0,
            max_pairs=1, gap_share=0.1,
        ),
    ],
)  # fmt: skip
def test_a_message_arrives_as_it_was_sent(pipe, message):
    _, sender, receiver = pipe
    sender.send(message)
    assert receiver.receive() == message


def test_a_large_body_arrives_whole():
    left, right = socket.socketpair()
    message = Exchange(
        variant=0, step="s", method="GET", target="/", status=200, content_type="", body=b"x" * 3_000_000,
        wire_bytes=1, repeat=False, recorded=True, number=1,
    )  # fmt: skip
    import threading

    thread = threading.Thread(target=Channel(left).send, args=(message,))
    thread.start()
    assert Channel(right).receive() == message
    thread.join()
    left.close()
    right.close()


@given(st.binary(max_size=200))
def test_nonsense_is_one_clear_error(data):
    left, right = socket.socketpair()
    with left, right:
        left.sendall(struct.pack(">I", len(data)) + data)
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(MeasurementError):
            Channel(right).receive()


def test_a_frame_that_is_too_long_is_refused(pipe):
    raw, _, receiver = pipe
    raw.sendall(struct.pack(">I", 2**31))
    with pytest.raises(MeasurementError, match="too long"):
        receiver.receive()


def test_a_peer_that_hangs_up_is_one_clear_error(pipe):
    raw, _, receiver = pipe
    raw.close()
    with pytest.raises(MeasurementError, match="hung up"):
        receiver.receive()
