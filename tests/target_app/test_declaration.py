"""The declaration of the toggles, and everything that derives from it."""

import tomllib
from io import StringIO

import pytest
from accounts.authentication import AUTHENTICATIONS, CREDENTIALS
from catalogue import presenting, ratings, rows, selectors
from config.settings import watching
from core import toggles
from core.counting import COUNTS
from core.pagination import PAGINATIONS
from core.throttling import THROTTLES
from core.toggle_texts import EXAMPLE, PAGE, texts
from core.toggles import DECLARATION, declared
from django.conf import settings
from django.core.management import CommandError, call_command
from graph.fetching import FETCHES
from orders.serializers import SELLERS
from storefront import fragments

from loadstone.config.load import load_toggles


def test_the_harness_reads_the_same_declaration():
    theirs, rules = load_toggles(DECLARATION)
    ours = declared()
    assert list(theirs) == list(ours)
    for name, toggle in ours.items():
        other = theirs[name]
        assert (toggle.choices, toggle.default, toggle.env) == (other.choices, other.default, other.env)
        assert (toggle.ddl, toggle.given, toggle.normalise) == (other.ddl, other.given, other.normalise)
        assert set(toggle.normalise) <= set(rules)


def test_both_read_the_same_claims_and_prices():
    theirs, _ = load_toggles(DECLARATION)
    for name, toggle in declared().items():
        for ours, other in ((toggle.claims, theirs[name].claims), (toggle.prices, theirs[name].prices)):
            assert [
                (choice, each.before, each.metric, each.direction, each.scenario, each.given)
                for choice, each in ours.items()
            ] == [
                (choice, each.before, each.metric, each.direction, each.scenario, each.given)
                for choice, each in other.items()
            ]


def test_every_toggle_claims_something_that_can_be_measured():
    assert [name for name, toggle in declared().items() if not toggle.claims] == []


def test_settings_hold_every_toggle():
    assert {name: toggle.default for name, toggle in declared().items()} == settings.TOGGLES


def test_every_choice_is_implemented():
    choices = {name: set(toggle.choices) for name, toggle in declared().items()}
    for ways in (selectors._PRODUCT_LISTS, selectors._PRODUCT_PAGES, selectors._REVIEW_LISTS):
        assert set(ways) == choices["orm"]
    for serializers in (presenting.PRODUCTS, presenting.REVIEWS, presenting.CATEGORIES, SELLERS):
        assert set(serializers) == choices["serializer"]
    assert set(ratings._WAYS) == set(rows._FIGURES) == choices["rating"]
    assert set(selectors.SEARCHES) == choices["search"]
    assert set(AUTHENTICATIONS) == set(CREDENTIALS) == choices["auth"]
    assert set(FETCHES) == choices["graphql"]
    assert set(fragments.BACKENDS) == choices["fragment"]
    for ways in (watching.APPS, watching.OUTER_MIDDLEWARE, watching.INNER_MIDDLEWARE):
        assert set(ways) == choices["instrumentation"]
    assert set(PAGINATIONS) == choices["pagination"]
    assert set(COUNTS) == choices["count"]
    assert set(THROTTLES) == choices["throttle"]
    assert set(declared()["indexes"].ddl) == choices["indexes"]


def test_the_declaration_is_complete():
    for toggle in declared().values():
        assert toggle.claim.endswith(".")
        assert toggle.price.endswith(".")
        assert (DECLARATION.parent.parent / toggle.scenario).is_file()
        assert toggle.env == f"SHOP_{toggle.name.upper()}"
        for other, choice in toggle.given.items():
            assert choice in declared()[other].choices
    for rule in tomllib.loads(DECLARATION.read_text())["rules"].values():
        assert rule["title"]


def test_the_shop_tells_its_toggles(client, choose):
    choose(orm="naive")
    told = client.get("/toggles").json()
    assert {name: each["active"] for name, each in told.items()} == settings.TOGGLES
    assert told["orm"]["claim"] == declared()["orm"].claim


def test_docs_and_example_are_up_to_date():
    call_command("toggles_doc", check=True)
    assert PAGE.read_text() == texts()[PAGE]
    for toggle in declared().values():
        assert f"\n{toggle.env}={toggle.default}\n" in EXAMPLE.read_text()


def test_a_stale_page_is_noticed(monkeypatch, tmp_path):
    monkeypatch.setattr("core.toggle_texts.PAGE", tmp_path / "toggles.md")
    with pytest.raises(CommandError, match=r"toggles\.md is out of date; run manage\.py toggles_doc"):
        call_command("toggles_doc", check=True)
    call_command("toggles_doc")
    call_command("toggles_doc", check=True)


@pytest.mark.django_db
def test_indexes_can_be_applied_by_hand_and_again(choose):
    choose(indexes="composite")
    out = StringIO()
    call_command("apply_indexes", stdout=out)
    call_command("apply_indexes", stdout=out)
    assert out.getvalue().splitlines() == 2 * list(toggles.declared()["indexes"].ddl["composite"])
