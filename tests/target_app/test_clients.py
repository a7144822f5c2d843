"""Programs that ask by OAuth 2, client credentials; and who guesses passwords."""

import base64
from datetime import timedelta

import pytest
from accounts.clients import issue_token
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.exceptions import PermissionDenied
from seeding.accounts import PASSWORD, open_accounts

pytestmark = pytest.mark.django_db
TOKEN, ACCOUNT, LOGIN = "/api/v2/oauth/token", "/api/v2/account", "/api/v2/login"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture(autouse=True)
def _accounts(db):  # noqa: ARG001 - the rows must be there
    open_accounts()  # again, with a hash that is quick to check


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stop the clock by which failed logins are counted: no test may fall on two minutes."""
    now = [1_000_000.0]
    monkeypatch.setattr("accounts.attempts.time.time", lambda: now[0])
    return now


@pytest.fixture
def oauth2(choose):
    choose(auth="oauth2")


def basic(name, secret):
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def bearer(token):
    return {"authorization": f"Bearer {token}"}


@pytest.mark.usefixtures("oauth2")
def test_a_client_exchanges_its_id_and_secret_for_its_owner_s_account(client):
    given = client.post(TOKEN, GRANT, headers=basic("customer-2", PASSWORD))
    assert given.status_code == 200
    told = given.json()
    assert (told["token_type"], told["scope"]) == ("Bearer", "account orders")
    assert told["expires_in"] == 3600
    assert client.get(ACCOUNT, headers=bearer(told["access_token"])).json()["id"] == 2


@pytest.mark.usefixtures("oauth2")
@pytest.mark.parametrize(("name", "secret"), [("customer-1", "guess"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_secret_is_refused(client, name, secret):
    answer = client.post(TOKEN, GRANT, headers=basic(name, secret))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.usefixtures("oauth2")
def test_other_grants_are_refused(client):
    body = {"grant_type": "password", "username": "customer-1", "password": PASSWORD}
    answer = client.post(TOKEN, body, headers=basic("customer-1", PASSWORD))
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.usefixtures("oauth2")
@pytest.mark.parametrize(
    ("fields", "status"),
    [({"scope": ""}, 403), ({"scope": "other"}, 403), ({"expires": timezone.now() - timedelta(1)}, 401)],
)
def test_a_token_is_good_within_its_scope_and_time(client, fields, status):
    token = issue_token(User.objects.get(username="customer-1"))
    assert client.get(ACCOUNT, headers=bearer(token)).status_code == 200
    AccessToken.objects.update(**fields)
    assert client.get(ACCOUNT, headers=bearer(token)).status_code == status


@pytest.mark.usefixtures("oauth2")
def test_a_client_of_nobody_is_refused(client):
    token = issue_token(User.objects.get(username="customer-1"))
    Application.objects.update(user=None)
    assert client.get(ACCOUNT, headers=bearer(token)).status_code == 401
    with pytest.raises(PermissionDenied):
        issue_token(User.objects.get(username="customer-1"))


@pytest.mark.parametrize("auth", ["none", "session", "token", "jwt"])
def test_there_are_no_tokens_for_programs_unless_chosen(client, choose, auth):
    choose(auth=auth)
    assert client.post(TOKEN, GRANT, headers=basic("customer-1", PASSWORD)).status_code == 404


@pytest.mark.usefixtures("oauth2")
def test_the_description_names_the_way_and_its_scope(client):
    told = client.get("/api/schema?format=json").json()
    flow = told["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert (flow["tokenUrl"], set(flow["scopes"])) == (TOKEN, {"account", "orders"})
    assert told["paths"][ACCOUNT]["get"]["security"] == [{"oauth2": ["account"]}]
    assert told["paths"]["/api/v2/orders"]["post"]["security"] == [{"oauth2": ["orders"]}, {"basicAuth": []}]


def log_in(api, name, password=PASSWORD, address="10.0.0.1", **headers):
    body = {"username": name, "password": password}
    return api.post(LOGIN, body, format="json", REMOTE_ADDR=address, headers=headers)


@pytest.mark.parametrize("auth", ["none", "session", "token", "jwt", "oauth2"])
def test_who_guesses_must_wait(api, choose, settings, auth):
    settings.SHOP_LOGIN_FAILURES = 3
    choose(auth=auth)
    assert [log_in(api, "customer-1", "guess").status_code for _ in range(4)] == [403, 403, 403, 429]
    refused = log_in(api, "customer-1")  # the right one, too late
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    spoofed = {"x-forwarded-for": "10.9.9.9", "x-real-ip": "10.9.9.9"}
    assert log_in(api, "customer-1", **spoofed).status_code == 429
    assert log_in(api, "customer-2").status_code == 200
    assert log_in(api, "customer-1", address="10.0.0.2").status_code == 200


def test_who_tries_many_names_must_wait_too(api, settings):
    settings.SHOP_LOGIN_FAILURES = 1
    assert [log_in(api, f"name-{number}", "guess").status_code for number in range(10)] == [403] * 10
    assert log_in(api, "customer-3").status_code == 429


def test_the_next_minute_begins_anew(api, settings, clock):
    settings.SHOP_LOGIN_FAILURES = 1
    assert [log_in(api, "customer-1", "guess").status_code for _ in range(2)] == [403, 429]
    clock[0] += 60
    assert log_in(api, "customer-1").status_code == 200
