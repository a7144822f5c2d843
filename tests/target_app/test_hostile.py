"""What hostile clients send: more fields than asked for, SQL, forged tokens, a session alone."""

import base64
import json
import time

import jwt
import pytest
from catalogue.models import Product, Review
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as shop
from django.contrib.auth.models import User
from exports.models import Export
from factories import CustomerFactory, ProductFactory
from orders.models import Order
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken
from seeding.accounts import PASSWORD, open_accounts

pytestmark = pytest.mark.django_db
EXTRA = {
    "id": 1,
    "pk": 1,
    "total": "0.01",
    "status": "shipped",
    "unit_price": "0.01",
    "placed_at": "2020-01-01T00:00:00Z",
    "user": 1,
    "is_staff": True,
    "is_superuser": True,
    "is_verified": True,
    "created_at": "2020-01-01T00:00:00Z",
    "product_id": 1,
    "content": "mine",
    "rows": 7,
}


@pytest.fixture
def accounts(db):  # noqa: ARG001 - the rows must be there
    open_accounts()  # again, with a hash that is quick to check


def test_an_order_takes_no_field_that_is_the_shops_to_set(api):
    customer, product = CustomerFactory(), ProductFactory(price="12.50", stock=9)
    line = {"product": product.pk, "quantity": 2, "unit_price": "0.01", "order": 1}
    answer = api.post("/api/v2/orders", {"customer": customer.pk, "lines": [line]} | EXTRA, format="json")
    assert answer.status_code == 201
    order = Order.objects.get(pk=answer.json()["id"])
    assert order.pk != 1
    assert (str(order.total), order.status, order.placed_at.year > 2020) == ("25.00", "placed", True)
    assert [str(each.unit_price) for each in order.lines.all()] == ["12.50"]
    told = api.post(
        f"/api/v2/orders/{order.pk}/status", {"order": 1, "total": 0, "status": "paid"}, format="json"
    )
    assert told.json() == {"order": order.pk, "status": "paid"}
    order.refresh_from_db()
    assert (str(order.total), order.customer_id) == ("25.00", customer.pk)


def test_a_review_and_a_report_take_no_field_either(api):
    product, other = ProductFactory(), ProductFactory()
    body = EXTRA | {
        "author": CustomerFactory().pk,
        "rating": 5,
        "title": "t",
        "body": "b",
        "product": other.pk,
    }
    told = api.post(f"/api/v2/products/{product.pk}/reviews", body, format="json").json()
    review = Review.objects.get(pk=told["id"])
    assert (review.product_id, review.is_verified, review.created_at.year > 2020) == (product.pk, False, True)
    told = api.post("/api/v2/exports", EXTRA | {"category": "x"}, format="json").json()
    export = Export.objects.get(pk=told["id"])
    assert (export.pk == 1, export.content, export.rows) == (False, None, None)


@pytest.mark.usefixtures("accounts")
def test_a_login_makes_nobody_staff(api, choose):
    choose(auth="token")
    body = EXTRA | {"username": "customer-1", "password": PASSWORD}
    assert api.post("/api/v2/login", body, format="json").status_code == 200
    user = User.objects.get(username="customer-1")
    assert (user.is_staff, user.is_superuser) == (False, False)


SQL = (
    "1' OR '1'='1",
    "1; DROP TABLE catalogue_product; --",
    "' UNION SELECT password FROM auth_user --",
    "%27",
    "\\",
)
LISTS = ("products", "reviews", "customers", "products/1/reviews")


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_ordered_by_the_words_that_they_name_alone(api, path):
    """By what nobody may see, rows could be sorted until it is known."""
    as_ever = api.get(f"/api/v2/{path}").json()
    hidden = (
        "user__password",
        "author__email",
        "email",
        "author__user__password",
        "description",
        "?",
        "pk)--",
    )
    for word in (*hidden, *(f"-{word}" for word in hidden), *SQL):
        assert api.get(f"/api/v2/{path}", {"ordering": word}).json()["results"] == as_ever["results"], word


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_filtered_by_the_words_that_they_name_alone(api, path):
    as_ever = api.get(f"/api/v2/{path}").json()
    for word in (
        "author__email__startswith",
        "user__password__startswith",
        "is_active",
        "email",
        "pk__in",
        "Q",
    ):
        assert api.get(f"/api/v2/{path}", {word: "a"}).json()["results"] == as_ever["results"], word


@pytest.mark.parametrize("word", SQL)
def test_sql_in_a_filter_is_text(api, word):
    rows = Product.objects.count()
    for name in ("category", "brand", "tag"):
        assert api.get("/api/v2/products", {name: word}).json()["results"] == []
    for name in ("min_price", "min_rating"):
        assert api.get("/api/v2/products", {name: word}).status_code == 400
    assert api.get("/api/v2/best-sellers", {"category": word}).json() == []
    assert api.get("/api/v2/search", {"q": word}).status_code == 200
    assert api.get("/api/v2/brands/x%27%20OR%201=1").status_code == 404
    assert Product.objects.count() == rows


def claims(**changed):
    now = int(time.time())
    told = {"token_type": "access", "iat": now, "exp": now + 3600, "jti": "0", "user_id": "1"}
    return {key: value for key, value in (told | changed).items() if value is not None}


def unsigned(algorithm):
    words = ({"alg": algorithm, "typ": "JWT"}, claims(user_id=user()))
    parts = [base64.urlsafe_b64encode(json.dumps(word).encode()).rstrip(b"=").decode() for word in words]
    return ".".join((*parts, ""))


def user():
    return str(User.objects.get(username="customer-1").pk)


def signed(key=None, algorithm="HS256", headers=None, **changed):
    told = {"user_id": user()} | changed
    return jwt.encode(claims(**told), key or shop.SECRET_KEY, algorithm, headers=headers)


def rsa_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)


def with_public_key_as_secret():
    """Sign by HMAC with what everybody may know: PyJWT refuses to make such a token, others do not."""
    import hashlib
    import hmac

    parts = signed().split(".")[:2]
    seal = hmac.digest(rsa_key()[1], ".".join(parts).encode(), hashlib.sha256)
    return ".".join((*parts, base64.urlsafe_b64encode(seal).rstrip(b"=").decode()))


FORGED = {
    "unsigned": lambda: unsigned("none"),
    "unsigned in capitals": lambda: unsigned("NoNe"),
    "no signature": lambda: unsigned("HS256"),
    "another secret": lambda: signed("another secret " * 4),
    "another HMAC": lambda: signed(algorithm="HS512"),
    "RSA": lambda: signed(rsa_key()[0], "RS256"),
    "a public key as secret": with_public_key_as_secret,
    "a key of its own": lambda: signed(
        rsa_key()[0], "RS256", {"jku": "http://127.0.0.1:9/", "kid": "../../x"}
    ),
    "run out": lambda: signed(exp=int(time.time()) - 1),
    "without an end": lambda: signed(exp=None),
    "to come": lambda: signed(nbf=int(time.time()) + 600),
    "nobody's": lambda: signed(user_id=None),
    "of another kind": lambda: str(RefreshToken.for_user(User.objects.get(username="customer-1"))),
    "of no kind": lambda: signed(token_type=None),
}


@pytest.mark.usefixtures("accounts")
def test_no_forged_token_is_taken(choose):
    choose(auth="jwt")
    good = str(AccessToken.for_user(User.objects.get(username="customer-1")))
    tokens = {"good": good, "good by hand": signed()} | {name: make() for name, make in FORGED.items()}
    seen = {
        name: APIClient().get("/api/v2/account", headers={"authorization": f"Bearer {token}"}).status_code
        for name, token in tokens.items()
    }
    assert seen == {"good": 200, "good by hand": 200} | dict.fromkeys(FORGED, 401)


@pytest.mark.usefixtures("accounts")
def test_a_session_alone_changes_nothing(choose):
    """Another site can have a browser send the cookie, but not read the token that goes with it."""
    choose(auth="session")
    browser = APIClient(enforce_csrf_checks=True)
    login = {"username": "customer-1", "password": PASSWORD}
    assert browser.post("/api/v2/login", login, format="json").status_code == 200
    cookie = browser.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    body = {"customer": 1, "lines": [{"product": ProductFactory().pk, "quantity": 1}]}
    assert browser.get("/api/v2/account").status_code == 200
    orders = Order.objects.count()
    for headers in ({}, {"x-csrftoken": "a" * 64}, {"origin": "http://elsewhere.example"}):
        assert browser.post("/api/v2/orders", body, format="json", headers=headers).status_code == 403
    assert Order.objects.count() == orders
    own = {"x-csrftoken": browser.cookies["csrftoken"].value}
    assert browser.post("/api/v2/orders", body, format="json", headers=own).status_code == 201
