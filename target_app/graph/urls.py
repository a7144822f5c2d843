"""The graph's address."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt  # queries change nothing, and no cookie stands for anybody
def graphql(request: HttpRequest) -> HttpResponseBase:
    """Answer a query."""
    from graph.endpoint import answer  # noqa: PLC0415 - slow to import, and most shops are never asked

    return answer(request)


urlpatterns = [path("graphql/", graphql, name="graphql")]
