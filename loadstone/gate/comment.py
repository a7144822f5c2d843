"""One comment on a pull request, kept current: `python -m loadstone.gate.comment`, in a `workflow_run`.

The gate of a pull request runs without any right to write. What it leaves is an artifact
that a stranger may have made up: of its archive one small file is read, decoded as a record,
and rendered anew with every text made harmless. Nothing of it is run, and neither the
repository nor the pull request is taken from it: that is the open one whose head is the
commit that the run was for. The API is GitHub's, https://docs.github.com/en/rest.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.record.gated import GATE, LARGEST, GateResult, load_gate
from loadstone.report import gate_summary

LONGEST = 60_000
"""Characters of a comment; GitHub takes 65,536."""
LARGEST_ARCHIVE = 50_000_000
MOST_PAGES, PER_PAGE = 10, 100
BOT = "github-actions[bot]"
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Where:
    """Which run is told about, as the trusted event says."""

    repository: str
    run: str
    head_sha: str
    head_owner: str
    head_branch: str
    artifact: str = "gate"


class Api:
    """The few calls of GitHub's API that are needed."""

    def __init__(self, base: str, token: str) -> None:
        self._base, self._token = base.rstrip("/"), token
        self._opener = urllib.request.build_opener(_Careful())

    def json(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return what a call answers; raises `MeasurementError`."""
        return json.loads(self._send(method, f"{self._base}{path}", body, LARGEST * 4))

    def archive(self, url: str) -> bytes:
        """Return an archive; raises `MeasurementError` where it is too large."""
        return self._send("GET", url, None, LARGEST_ARCHIVE)

    def _send(self, method: str, url: str, body: object, most: int) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the API's own address
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                data: bytes = answer.read(most + 1)
        except OSError as error:
            raise MeasurementError(f"{method} {urlsplit(url).path} failed", cause=str(error)) from error
        if len(data) > most:
            raise MeasurementError(f"{urlsplit(url).path} is larger than {most} bytes")
        return data


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follows redirects without handing the token on to another host: archives lie in a store of others."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            following.remove_header("Authorization")
        return following


def comment(api: Api, where: Where) -> str:
    """Write or renew the comment, and return what was done.

    Raises:
        MeasurementError: the API cannot be reached, or the archive is not what it should be.
        ConfigurationError: the record cannot be read.
    """
    number = _pull_request(api, where)
    if number is None:
        return f"no open pull request has the head {where.head_sha[:12]} any more"
    found = _result(api, where)
    if found is None:
        return f"the run left no artifact {where.artifact!r}"
    text = gate_summary.markdown(found)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n\n… cut here; the artifact has the rest\n"
    told = f"Written for {where.head_sha[:12]} by the default branch, from what that run reported."
    text += f"\n<sub>{told}</sub>\n"
    own = _own_comment(api, where, number)
    if own is None:
        api.json("POST", f"/repos/{where.repository}/issues/{number}/comments", {"body": text})
        return f"commented on #{number}"
    api.json("PATCH", f"/repos/{where.repository}/issues/comments/{own}", {"body": text})
    return f"renewed the comment on #{number}"


def _pull_request(api: Api, where: Where) -> int | None:
    """Return the number of the open pull request whose head is the commit that was gated."""
    query = urlencode(
        {"state": "open", "head": f"{where.head_owner}:{where.head_branch}", "per_page": PER_PAGE}
    )
    for one in api.json("GET", f"/repos/{where.repository}/pulls?{query}"):
        if one["head"]["sha"] == where.head_sha:
            return int(one["number"])
    return None


def _result(api: Api, where: Where) -> GateResult | None:
    path = f"/repos/{where.repository}/actions/runs/{quote(where.run)}/artifacts?per_page={PER_PAGE}"
    for one in api.json("GET", path)["artifacts"]:
        if one["name"] == where.artifact and not one["expired"]:
            return read_archive(api.archive(one["archive_download_url"]))
    return None


def read_archive(data: bytes) -> GateResult:
    """Return the record in an archive of a stranger: one file, by its name, no larger than it may be.

    Raises:
        MeasurementError: it is no archive, or has no such file.
        ConfigurationError: the file is no record.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(GATE) as member:
            content = member.read(LARGEST + 1)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise MeasurementError(f"the artifact has no readable {GATE}", cause=str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / GATE
        path.write_bytes(content)
        return load_gate(path)


def _own_comment(api: Api, where: Where, number: int) -> int | None:
    """Return the comment that was written before, by the marker that it opens with and by its author."""
    for page in range(1, MOST_PAGES + 1):
        path = f"/repos/{where.repository}/issues/{number}/comments?per_page={PER_PAGE}&page={page}"
        found = api.json("GET", path)
        for one in found:
            if one["user"]["login"] == BOT and str(one["body"]).startswith(gate_summary.MARKER):
                return int(one["id"])
        if len(found) < PER_PAGE:
            break
    return None


def main() -> int:
    """Comment as the environment says, and return an exit code."""
    env = os.environ
    where = Where(
        repository=env["GITHUB_REPOSITORY"],
        run=env["RUN_ID"],
        head_sha=env["HEAD_SHA"],
        head_owner=env["HEAD_OWNER"],
        head_branch=env["HEAD_BRANCH"],
        artifact=env.get("ARTIFACT", "gate"),
    )
    api = Api(env.get("GITHUB_API_URL", "https://api.github.com"), env["GITHUB_TOKEN"])
    try:
        sys.stdout.write(f"{comment(api, where)}\n")
    except LoadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
