"""The storefront's pages: what a fragment shows is read when the template asks for it, if it does."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView

from catalogue import selectors as catalogue
from catalogue.models import Category
from orders import selectors as orders
from storefront import fragments, selectors


class Home(TemplateView):
    """The shop's front: where to go, and what sells best."""

    template_name = "storefront/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - as Django's
        """Return what the template may ask for."""
        return super().get_context_data(
            **kwargs,
            period=settings.SHOP_CACHE_SECONDS,
            kept_in=fragments.backend(),
            departments=selectors.departments,
            best_sellers=orders.best_sellers,
        )


class CategoryPage(Home):
    """A category: what is sold in it and in all below it, newest first."""

    template_name = "storefront/category.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - as Django's
        """Return what the template may ask for; raises `Http404` without such a category."""
        slug = kwargs["slug"]
        category: Category = get_object_or_404(catalogue.categories(), slug=slug)
        stamp = fragments.stamp(slug)  # before any row is read that it stands for
        return super().get_context_data(**kwargs) | {
            "category": category,
            "stamp": stamp,
            "products": partial(selectors.newest_products, slug),
            "best_sellers": partial(orders.best_sellers, slug),
        }
