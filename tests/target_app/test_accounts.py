"""Logins and accounts, however a request tells whose it is."""

import pytest
from customers.models import Customer
from django.contrib.auth.models import User
from factories import CustomerFactory
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken
from seeding.accounts import PASSWORD, open_accounts

pytestmark = pytest.mark.django_db
PATH = "/api/v1/account"
WAYS = ("session", "token", "jwt", "oauth2")


@pytest.fixture(autouse=True)
def _accounts(db):  # noqa: ARG001 - the rows must be there
    open_accounts()  # again, with a hash that is quick to check


def log_in(api, customer=1):
    answer = api.post(
        "/api/v1/login", {"username": f"customer-{customer}", "password": PASSWORD}, format="json"
    )
    assert answer.status_code == 200
    given = answer.json()["authorization"]
    return {"authorization": given} if given else {}


@pytest.mark.parametrize("auth", WAYS)
def test_every_way_shows_the_same_account(api, choose, auth):
    expected = api.get(f"{PATH}?customer=1").json()
    assert expected["id"] == 1
    choose(auth=auth)
    shown = log_in(api)
    for path in (PATH, f"{PATH}?customer=1"):
        assert api.get(path, headers=shown).json() == expected


@pytest.mark.parametrize("auth", WAYS)
def test_who_does_not_log_in_sees_nothing(api, choose, auth):
    choose(auth=auth)
    answer = api.get(f"{PATH}?customer=1")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]


@pytest.mark.parametrize("auth", WAYS)
def test_nobody_sees_the_account_of_another(api, choose, auth):
    choose(auth=auth)
    shown = log_in(api, customer=2)
    assert api.get(f"{PATH}?customer=1", headers=shown).status_code == 403
    assert api.get(PATH, headers=shown).json()["id"] == 2


@pytest.mark.parametrize(
    "header", ["Token 0123", "Bearer x.y.z", "Basic YTpi", "Bearer " + "a" * 5000, "Token", "Bearer "]
)
@pytest.mark.parametrize("auth", WAYS)
def test_made_up_credentials_are_refused(api, choose, auth, header):
    choose(auth=auth)
    assert api.get(PATH, headers={"authorization": header}).status_code == 401


def test_a_token_that_was_signed_with_another_key_is_refused(api, choose):
    choose(auth="jwt")
    token = str(AccessToken.for_user(User.objects.get(username="customer-1")))
    head, _, signature = token.rpartition(".")
    forged = f"{head}.{signature[::-1]}"
    assert api.get(PATH, headers={"authorization": f"Bearer {forged}"}).status_code == 401


def test_what_is_signed_cannot_be_taken_back(choose):
    """The price that `auth=jwt` declares: the others are looked up, and gone with the user."""
    outcomes = {}
    for auth in WAYS:
        choose(auth=auth)
        client = APIClient()
        shown = log_in(client)
        User.objects.filter(username="customer-1").update(is_active=False)
        outcomes[auth] = client.get(PATH, headers=shown).status_code
        User.objects.filter(username="customer-1").update(is_active=True)
    assert outcomes == {"session": 401, "token": 401, "jwt": 200, "oauth2": 401}


@pytest.mark.parametrize(
    ("auth", "queries"), [("none", 2), ("session", 4), ("token", 3), ("jwt", 2), ("oauth2", 4)]
)
def test_what_checking_costs(api, choose, django_assert_num_queries, auth, queries):
    choose(auth=auth)
    shown = log_in(api)
    with django_assert_num_queries(queries):
        assert api.get(f"{PATH}?customer=1", headers=shown).status_code == 200


@pytest.mark.parametrize("auth", ["none", *WAYS])
def test_a_wrong_password_is_refused(api, choose, auth):
    choose(auth=auth)
    for name in ("customer-1", "nobody"):
        answer = api.post("/api/v1/login", {"username": name, "password": "guess"}, format="json")
        assert answer.status_code == 403  # there is no challenge by which to try again
        assert "wrong" in answer.json()["detail"]


def test_who_has_no_customer_has_no_account(api, choose):
    choose(auth="jwt")
    token = AccessToken.for_user(User.objects.create(username="clerk"))
    assert api.get(PATH, headers={"authorization": f"Bearer {token}"}).status_code == 404
    assert api.get(f"{PATH}?customer=999999").status_code == 401


def test_accounts_can_be_opened_again():
    open_accounts()
    assert User.objects.filter(username__startswith="customer-").count() == 20
    assert Customer.objects.exclude(user=None).count() == 20
    assert CustomerFactory().user is None
