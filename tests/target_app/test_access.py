"""Who may do what: every route × role × method, for every way to log in."""

import base64
from datetime import timedelta

import pytest
from accounts.clients import issue_token
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import get_resolver, reverse
from django.utils import timezone
from exports.models import Export
from factories import CustomerFactory, ProductFactory
from matrix import ACCOUNT, ALWAYS_STAFF, METHODS, OPEN, PROGRAMS, ROLES, ROUTES, STAFF, expected
from oauth2_provider.models import AccessToken
from orders.models import Order
from rest_framework.test import APIClient
from seeding.accounts import PASSWORD, open_accounts

pytestmark = pytest.mark.django_db
WAYS = ("none", "session", "token", "jwt", "oauth2")
LOOKERS = {("none", "anonymous"), ("session", "owner"), ("token", "staff")}
"""Who asks for what is open to all: nobody is known there, however it is told."""
VERSIONS = {"v1", "v2"}


def routes():
    """Return {(namespace, name)} of every address that the shop answers, with its view."""
    found = {}
    stack = [((), get_resolver())]
    while stack:
        space, resolver = stack.pop()
        for each in resolver.url_patterns:
            if hasattr(each, "url_patterns"):
                stack.append(((*space, each.namespace) if each.namespace else space, each))
            else:
                found[":".join(space), each.name] = str(each.pattern), each.callback
    return found


@pytest.fixture(autouse=True)
def _accounts(db):  # noqa: ARG001 - the rows must be there
    open_accounts()  # again, with a hash that is quick to check


@pytest.fixture
def order():
    return Order.objects.create(customer_id=1, total=5, placed_at=timezone.now())


@pytest.fixture
def address(order):
    """Give a function that returns the address of a route, about rows that are there."""
    product, export = ProductFactory(), Export.objects.create()
    rows = {"product": product.pk, "product-reviews": product.pk, "export": export.pk}
    rows |= {"export-file": export.pk}
    slugs = {"brand": product.brand.slug, "storefront-category": product.category.slug}

    def of(space, name):
        words = {"slug": slugs[name]} if name in slugs else {}
        if "<int:pk>" in routes()[space, name][0]:
            words = {"pk": rows.get(name, order.pk)}
        return reverse(f"{space}:{name}" if space else name, kwargs=words) + ROUTES[name].query

    of.product = product.pk
    return of


def basic(name, password=PASSWORD):
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def bearer(scope, name="customer-1"):
    token = issue_token(User.objects.get(username=name))
    newest = AccessToken.objects.latest("pk")
    newest.scope = scope
    newest.save()
    return {"authorization": f"Bearer {token}"}


def logged_in(customer):
    client = APIClient()
    body = {"username": f"customer-{customer}", "password": PASSWORD}
    given = client.post("/api/v2/login", body, format="json").json()["authorization"]
    client.credentials(**({"HTTP_AUTHORIZATION": given} if given else {}))
    return client


def clients(auth):
    """Return a client of each role."""
    found = {"anonymous": APIClient(), "owner": logged_in(1), "other": logged_in(2), "staff": APIClient()}
    found["staff"].credentials(HTTP_AUTHORIZATION=basic("staff")["authorization"])
    if auth == "oauth2":
        for role in PROGRAMS:
            found[role] = APIClient()
            found[role].credentials(HTTP_AUTHORIZATION=bearer(role.split()[0])["authorization"])
    return found


def ask(client, method, path, body):
    """Return the status of a request, whose changes are taken back."""
    with transaction.atomic():
        send = getattr(client, method)
        answer = send(path, body, format="json") if method not in {"get", "head"} else send(path)
        transaction.set_rollback(True)
    return answer.status_code


def test_every_route_is_in_the_matrix_and_both_versions_have_the_same():
    spaces = {}
    for (space, name), (pattern, view) in routes().items():
        spaces.setdefault(space, {})[name] = pattern, view
    assert spaces["v1"] == spaces["v2"]
    assert set(spaces) == {"", *VERSIONS}
    assert set(spaces[""]) | set(spaces["v2"]) == set(ROUTES)


@pytest.mark.parametrize("auth", WAYS)
def test_who_may_do_what(choose, address, auth):
    choose(auth=auth, openapi="prebuilt")
    by_role = clients(auth)
    seen, wanted = {}, {}
    for space, name in routes():
        row = ROUTES[name]
        if space == "v1" or name == "oauth-token":
            continue
        body = dict(row.body or {})
        if name == "orders":
            body["lines"] = [{"product": address.product, "quantity": 1}]
        path = address(space, name)
        for role, client in by_role.items():
            if row.access == OPEN and (auth, role) not in LOOKERS:
                continue
            for method in METHODS:
                cell = f"{method} {name} {role}"
                seen[cell], wanted[cell] = ask(client, method, path, body), expected(row, auth, role, method)
    assert {cell: status for cell, status in seen.items() if status != wanted[cell]} == {}
    guarded = sum(row.access != OPEN for row in ROUTES.values())
    assert len(seen) >= guarded * len(METHODS) * len(ROLES)
    if auth != "none":
        assert set(wanted.values()) >= {200, 201, 202, 401, 403, 404, 405}


@pytest.mark.parametrize("auth", WAYS)
def test_programs_get_tokens_where_they_are_chosen(choose, address, auth):
    choose(auth=auth)
    path, chosen = address("v2", "oauth-token"), auth == "oauth2"
    seen = {}
    for method in METHODS:
        words = {"format": "multipart"} if method == "post" else {}
        seen[method] = getattr(APIClient(), method)(path, ROUTES["oauth-token"].body, **words).status_code
    right = {"post": 200, "options": 200}
    assert seen == {method: right.get(method, 405) if chosen else 404 for method in METHODS}


def test_every_kind_of_access_is_of_some_route():
    kinds = {row.access for row in ROUTES.values()}
    assert len(kinds) == 8
    assert {ACCOUNT, STAFF, ALWAYS_STAFF} <= kinds


@pytest.mark.parametrize("auth", WAYS[1:])
def test_the_order_of_another_is_as_none_at_all(choose, order, auth):
    """Its answer must not tell whether there is such an order."""
    choose(auth=auth)
    other = logged_in(2)
    for tail in ("", "/confirmation", "/invoice", "/status"):
        told = [other.get(f"/api/v2/orders/{pk}{tail}") for pk in (order.pk, 999_999_999)]
        assert [each.status_code for each in told] == [404, 404]
        assert told[0].content == told[1].content


@pytest.mark.parametrize("auth", WAYS[1:])
def test_customers_are_no_staff_by_their_password(choose, order, auth):
    choose(auth=auth)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic("customer-1")["authorization"])
    for path in (f"/api/v2/orders/{order.pk}", "/api/v2/customers", "/staff/tasks"):
        assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/staff/tasks", "/api/v2/customers"])
def test_who_guesses_the_password_of_staff_must_wait(choose, settings, monkeypatch, path):
    monkeypatch.setattr("accounts.attempts.time.time", lambda: 1_000_000.0)
    settings.SHOP_LOGIN_FAILURES = 3
    choose(auth="token")
    guesses = [APIClient().get(path, headers=basic("staff", f"guess {number}")) for number in range(4)]
    assert [each.status_code for each in guesses] == [401, 401, 401, 429]
    spoofed = basic("staff") | {"x-forwarded-for": "10.9.9.9", "x-real-ip": "10.9.9.9"}
    refused = APIClient().get(path, headers=spoofed)  # the right one, too late
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60


def test_who_guesses_the_secret_of_a_program_must_wait(choose, settings, monkeypatch):
    monkeypatch.setattr("accounts.attempts.time.time", lambda: 1_000_000.0)
    settings.SHOP_LOGIN_FAILURES = 3
    choose(auth="oauth2")
    grant = {"grant_type": "client_credentials"}

    def ask_for(secret, name="customer-1"):
        headers = basic(name, secret) | {"x-forwarded-for": f"10.9.9.{len(secret)}"}
        return APIClient().post("/api/v2/oauth/token", grant, format="multipart", headers=headers)

    assert [ask_for("guess").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert ask_for(PASSWORD)["Retry-After"]
    in_body = grant | {"client_id": "customer-1", "client_secret": PASSWORD}
    assert APIClient().post("/api/v2/oauth/token", in_body, format="multipart").status_code == 429
    assert ask_for(PASSWORD, "customer-2").status_code == 200


def test_tokens_are_good_for_what_was_asked(choose, order):
    choose(auth="oauth2")
    grant = ROUTES["oauth-token"].body
    for scope, status in (("account", 403), ("orders", 200), ("orders account", 200)):
        told = APIClient().post("/api/v2/oauth/token", grant | {"scope": scope}, format="multipart").json()
        shown = {"authorization": f"Bearer {told['access_token']}"}
        assert APIClient().get(f"/api/v2/orders/{order.pk}", headers=shown).status_code == status
    refused = APIClient().post("/api/v2/oauth/token", grant | {"scope": "staff"}, format="multipart")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert APIClient().get(f"/api/v2/orders/{order.pk}", headers=shown).status_code == 401


def test_a_customer_without_a_login_belongs_to_nobody(choose):
    """Neither to who has no login either, nor to staff's own session."""
    choose(auth="session")
    customer = CustomerFactory()
    order = Order.objects.create(customer=customer, total=5, placed_at=timezone.now())
    User.objects.create_user("clerk", password="x")
    client = APIClient()
    client.force_login(User.objects.get(username="clerk"))
    assert client.get(f"/api/v2/orders/{order.pk}").status_code == 404
    body = {"customer": customer.pk, "lines": [{"product": ProductFactory().pk, "quantity": 1}]}
    assert client.post("/api/v2/orders", body, format="json").status_code == 403
