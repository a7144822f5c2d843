"""The plumbing, with upstreams that are plain sockets."""

import socket
import struct
import threading
from contextlib import contextmanager, suppress

import pytest

from loadstone.explain.tap_postgres import PostgresTap
from loadstone.explain.tap_redis import RedisTap

TIMEOUT_S = 5


@contextmanager
def upstream(serve):
    """Run `serve(connection)` for one connection; yield the port."""

    def accept():
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT_S)
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


def connect(tap):
    return socket.create_connection(("127.0.0.1", tap.port), timeout=TIMEOUT_S)


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


@pytest.mark.parametrize("tap_class", [PostgresTap, RedisTap])
def test_an_unknown_protocol_passes_untouched_and_the_tap_says_that_it_is_blind(tap_class):
    data = b"\x16\x03\x01 unlike anything " * 50_000
    with upstream(echo) as port, tap_class("127.0.0.1", port) as tap:
        with connect(tap) as client:
            sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            assert read_all(client) == data
            sender.join()
        assert tap.incomplete
        assert tap.drain() == []


def test_a_start_that_is_held_back_is_released_when_it_turns_out_to_be_unknown():
    with upstream(echo) as port, PostgresTap("127.0.0.1", port) as tap, connect(tap) as client:
        for byte in b"\0\0\0\x10 who":
            client.sendall(bytes([byte]))
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"\0\0\0\x10 who"
        assert "protocol 3" in tap.incomplete


def test_going_blind_on_replies_does_not_stop_them():
    def serve(connection):
        connection.recv(100)
        connection.sendall(b"+OK\r\nnonsense\r\n+OK\r\n")

    with upstream(serve) as port, RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        client.sendall(b"PING\r\n")
        assert read_all(client) == b"+OK\r\nnonsense\r\n+OK\r\n"
        assert [command.name for command in tap.drain()] == ["PING"]
        assert "not the Redis protocol" in tap.incomplete


def test_a_close_by_the_upstream_reaches_the_client():
    def serve(connection):
        connection.sendall(b"+bye\r\n")

    with upstream(serve) as port, RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        assert read_all(client) == b"+bye\r\n"


def test_a_close_by_the_client_reaches_the_upstream():
    got = []

    def serve(connection):
        got.append(read_all(connection))

    with upstream(serve) as port, RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        client.sendall(b"PING\r\n")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    assert got == [b"PING\r\n"]


def test_a_reset_by_the_upstream_ends_the_client_s_connection_and_is_no_fault_of_counting():
    def serve(connection):
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with upstream(serve) as port, RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        client.sendall(b"PING\r\n")
        with suppress(ConnectionResetError):  # as good an end
            assert client.recv(10) == b""
        assert tap.wait_idle(TIMEOUT_S)
        assert [command.error for command in tap.drain()] == ["closed"]
        assert not tap.incomplete


def test_an_upstream_that_is_down_ends_the_connection():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        assert client.recv(10) == b""
        assert not tap.incomplete


def test_a_slow_reader_holds_back_the_upstream_and_loses_nothing():
    body = b"$8000000\r\n" + b"x" * 8_000_000 + b"\r\n"

    def serve(connection):
        connection.recv(100)
        connection.sendall(body)

    with upstream(serve) as port, RedisTap("127.0.0.1", port) as tap, connect(tap) as client:
        client.sendall(b"GET a\r\n")
        got = client.recv(10)
        assert not tap.wait_idle(0.05)
        assert got + read_all(client) == body
        (command,) = tap.drain()
        assert (command.hits, command.bytes_out) == (1, len(body))


def test_closing_cuts_what_is_open_and_frees_the_port():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tap = RedisTap(*silent.getsockname()).start()
        with connect(tap) as open_one:
            tap.close()
            tap.close()
            with suppress(ConnectionResetError):  # as good an end
                assert open_one.recv(10) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(tap)
    assert not [thread for thread in threading.enumerate() if thread.name == "wire-tap"]


def test_the_port_is_unknown_before_the_start():
    with pytest.raises(RuntimeError, match="not been started"):
        _ = RedisTap("127.0.0.1", 1).port
