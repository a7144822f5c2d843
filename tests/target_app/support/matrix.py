"""Who may do what: every route of the shop, what it answers to whom by which method."""

from dataclasses import dataclass, field

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
OPEN, OWN, NEW, REVIEW, STATUS, ACCOUNT, STAFF, ALWAYS_STAFF = (
    "open",
    "own",
    "new",
    "review",
    "status",
    "account",
    "staff",
    "always staff",
)
ROLES = ("anonymous", "owner", "other", "staff")
PROGRAMS = ("account scope", "orders scope")
"""With `auth=oauth2` two more: the owner's programs with less of a scope than it might have."""
NO_METHOD = 405


@dataclass(frozen=True)
class Row:
    """A route: who it is for, what its methods answer to those, and what is sent."""

    access: str = OPEN
    ok: dict = field(default_factory=lambda: {"get": 200})
    """Status by method; others are answered 405."""
    rest: bool = True
    """Whether REST framework, or a generic view, answers OPTIONS as well."""
    body: dict | None = None
    query: str = ""

    def answers(self, method):
        """Return the status for those whom it is for."""
        if method == "options" and self.rest:
            return 200
        if method == "head" and method not in self.ok:
            method = "get"
        return self.ok.get(method, NO_METHOD)


GET, POST = {"get": 200}, {"post": 201}
PLAIN = Row(rest=False)
ROUTES = {
    "live": PLAIN,
    "ready": PLAIN,
    "metrics": Row(ok={"get": 404}, rest=False),
    "toggles": PLAIN,
    "schema": PLAIN,
    "docs": PLAIN,
    "storefront": Row(),
    "storefront-category": Row(),
    "graphql": Row(
        ok={"get": 200, "head": NO_METHOD, "post": 200},
        rest=False,
        body={"query": "{__typename}"},
        query="?query={__typename}",
    ),
    "task-status": Row(ALWAYS_STAFF),
    "login": Row(ok={"post": 200}, body={"username": "customer-1", "password": "shop-demo"}),
    "oauth-token": Row(
        body={"grant_type": "client_credentials", "client_id": "customer-1", "client_secret": "shop-demo"},
        ok={"post": 200},
    ),
    "account": Row(ACCOUNT, query="?customer=1"),
    "categories": Row(),
    "brands": Row(),
    "brand": Row(),
    "products": Row(),
    "product": Row(),
    "product-reviews": Row(
        REVIEW,
        ok={"get": 200, "post": 201},
        body={"author": 1, "rating": 5, "title": "Good", "body": "Bright."},
    ),
    "reviews": Row(),
    "search": Row(),
    "best-sellers": Row(),
    "customers": Row(STAFF),
    "orders": Row(NEW, ok=POST, body={"customer": 1, "lines": [{"product": "PRODUCT", "quantity": 1}]}),
    "order": Row(OWN),
    "confirmation": Row(OWN, ok={"get": 202}),
    "invoice": Row(OWN, ok={"get": 202}),
    "order-status": Row(STATUS, ok={"get": 200, "post": 200}, body={"status": "paid"}),
    "exports": Row(STAFF, ok={"post": 202}, body={"category": ""}),
    "export": Row(STAFF),
    "export-file": Row(STAFF, ok={"get": 202}),
    "delivery": Row(ok={"get": 400}, rest=False),  # no country: the carrier is another test's
}


def expected(row, auth, role, method):
    """Return the status that a role is to get."""
    refused = _refused(row.access, role, method)
    if row.access != ALWAYS_STAFF and auth == "none":
        refused = None
    return refused or row.answers(method)


def _refused(access, role, method):
    """Return the status that a role is refused with where somebody logs in; None where it is not."""
    if access in {STAFF, ALWAYS_STAFF}:
        return None if role == "staff" else 401
    if access == ACCOUNT:  # staff have none, and come another way
        asks = method in {"get", "head"}
        refused = {"anonymous": 401, "staff": 401, "other": 403 if asks else None, "orders scope": 403}
        return refused.get(role)
    if access == OPEN or (access == REVIEW and method != "post"):
        return None
    if role in {"anonymous", "account scope"}:
        return 401 if role == "anonymous" else 403
    if role == "other":
        return 404 if access in {OWN, STATUS} else 403 if method == "post" else None
    return 403 if access == STATUS and method == "post" and role != "staff" else None
