"""Requests drawn from the API's own description, right and wrong ones: none makes the server fail."""

import json

import pytest
from core.versions import NEW
from hypothesis import HealthCheck, given
from hypothesis import settings as drawing
from hypothesis.errors import Unsatisfiable
from requests import Request
from rest_framework.test import APIClient

EXAMPLES = 8
"""Of each operation and kind; hypothesis draws the same ones in every run."""
BASE = "http://127.0.0.1"


def operations(client):
    """Yield the operations of the new version; the old one has the same views."""
    import schemathesis

    description = json.loads(client.get("/api/schema?format=json").content)
    for found in schemathesis.openapi.from_dict(description).get_all_operations():
        operation = found.ok()
        if operation.path.startswith(NEW):
            yield operation


def send(api, case):
    prepared = Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    headers = {key: value for key, value in prepared.headers.items() if key.lower() not in _OWN}
    body = prepared.body or b""
    return api.generic(
        prepared.method,
        prepared.path_url,
        body.encode() if isinstance(body, str) else body,
        content_type=prepared.headers.get("Content-Type", "application/json"),
        headers=headers,
    )


_OWN = {"content-length", "content-type", "accept-encoding", "connection", "transfer-encoding"}


@pytest.mark.django_db
@pytest.mark.parametrize("auth", ["none", "oauth2"])
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_request_makes_the_server_fail(api, choose, mode, auth):
    from schemathesis import GenerationMode

    choose(auth=auth)
    statuses = {}
    for operation in operations(api):
        if auth != "none" and not operation.path.endswith(("/account", "/login")):
            continue  # the others do not look at it

        @drawing(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
        def ask(case):
            answer = send(APIClient(raise_request_exception=False), case)
            statuses.setdefault(answer.status_code, []).append(case.as_curl_command())

        try:
            ask()
        except Unsatisfiable:  # there is no wrong way to ask for it
            assert mode == "negative"
    assert [statuses[each] for each in statuses if each >= 500] == []
    assert sum(map(len, statuses.values())) > (8 * EXAMPLES if auth == "none" else EXAMPLES - 1)
    if (mode, auth) == ("positive", "none"):
        assert min(statuses) == 200
