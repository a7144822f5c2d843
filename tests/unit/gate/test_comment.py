"""One comment on the right pull request, from an archive that a stranger may have made up."""

import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from gated import make_gate

from loadstone.errors import LoadstoneError
from loadstone.gate.comment import Api, Where, comment, read_archive
from loadstone.record.gated import GATE, LARGEST, GateFinding, Kind, Status, encode_gate
from loadstone.report.gate_summary import MARKER

SHA = "c" * 40
WHERE = Where(
    repository="o/r", run="7", head_sha=SHA, head_owner="stranger", head_branch="feature/x", artifact="gate"
)
EVIL = GateFinding(
    experiment="@everyone", kind=Kind.EXACT, subject="queries", status=Status.FAILED, message="<img src=x>"
)


def archive(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("__", "."), data)
    return stream.getvalue()


class GitHub:
    """A stand-in for the API over real HTTP: archives lie with another host name, as GitHub's do."""

    def __init__(self):
        self.pulls = [{"number": 5, "head": {"sha": SHA}}]
        self.comments = []
        self.archive = archive(gate__json=encode_gate(make_gate([EVIL])))
        self.seen = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do(self):
                outer.answer(self)

            do_GET = do_POST = do_PATCH = do  # noqa: N815 - as the standard library names them

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request):
        """Answer as the API does."""
        parts, method = urlsplit(request.path), request.command
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.seen.append((method, parts.path, request.headers.get("Authorization")))
        if parts.path == "/zip":
            request.send_response(302)
            request.send_header("Location", f"http://localhost:{self.server.server_port}/store")
            request.end_headers()
            return
        query = parse_qs(parts.query)
        told = {
            "/store": lambda: self.archive,
            "/repos/o/r/pulls": lambda: self.pulls if query["head"] == ["stranger:feature/x"] else [],
            "/repos/o/r/actions/runs/7/artifacts": lambda: {
                "artifacts": [{"name": "gate", "expired": False, "archive_download_url": f"{self.base}/zip"}]
            },
        }.get(parts.path, lambda: self.comment(method, parts.path, body))()
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def comment(self, method, path, body):
        """Keep comments."""
        if method == "POST":
            own = {"login": "github-actions[bot]"}
            self.comments.append({"id": 90 + len(self.comments), "user": own, **json.loads(body)})
        if method == "PATCH":
            one = next(each for each in self.comments if path.endswith(f"/{each['id']}"))
            one |= json.loads(body)
        return self.comments


@pytest.fixture
def github():
    made = GitHub()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_comment_is_written_once_and_then_renewed(github):
    api = Api(github.base, "secret")
    assert comment(api, WHERE) == "commented on #5"
    github.archive = archive(gate__json=encode_gate(make_gate([])))
    assert comment(api, WHERE) == "renewed the comment on #5"
    (one,) = github.comments
    assert one["body"].startswith(MARKER)
    assert "Gate passed" in one["body"]


def test_a_comment_of_somebody_else_that_looks_alike_is_left_alone(github):
    github.comments.append({"id": 3, "user": {"login": "stranger"}, "body": MARKER})
    assert comment(Api(github.base, "secret"), WHERE) == "commented on #5"
    assert github.comments[0]["body"] == MARKER


def test_what_a_stranger_wrote_is_shown_and_mentions_nobody(github):
    comment(Api(github.base, "secret"), WHERE)
    text = github.comments[0]["body"]
    assert "everyone" in text
    assert "@everyone" not in text
    assert "<img" not in text


def test_the_token_goes_to_the_api_alone(github):
    comment(Api(github.base, "secret"), WHERE)
    told = {path: token for _, path, token in github.seen}
    assert told["/zip"] == "Bearer secret"
    assert told["/store"] is None


def test_a_head_that_moved_on_is_told_nothing(github):
    github.pulls = [{"number": 5, "head": {"sha": "d" * 40}}]
    assert comment(Api(github.base, "secret"), WHERE).startswith("no open pull request")
    assert not github.comments


@pytest.mark.parametrize(
    "data",
    [
        b"no archive",
        archive(other="x"),
        archive(gate__json=b"{}"),
        archive(gate__json=b"[" * 100_000),
        archive(gate__json=b" " * (LARGEST + 10)),
        archive(**{f"..__{GATE}": b"{}"}),
    ],
    ids=["bytes", "another file", "no record", "deep", "large", "outside"],
)
def test_an_archive_that_is_not_what_it_should_be_is_refused(data):
    with pytest.raises(LoadstoneError):
        read_archive(data)
