"""The view behind `/graphql/`."""

from __future__ import annotations

from cross_web import HTTPException, SyncHTTPRequestAdapter
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from strawberry.django.views import GraphQLView, TemporalHttpResponse
from strawberry.http import GraphQLRequestData
from strawberry.types import ExecutionResult

from core import toggles
from core.throttling import ToggledThrottle
from graph.fetching import FETCHES
from graph.schema import schema, unexpected
from graph.types import Context

BAD_REQUEST, SERVER_ERROR, TOO_MANY_REQUESTS = 400, 500, 429


class ShopView(GraphQLView[Context, None]):
    """Answers a query by GET or POST."""

    def get_context(self, request: HttpRequest, response: HttpResponse) -> Context:
        """Return what the resolvers of this request share."""
        return Context(request, response, FETCHES[toggles.choice("graphql")]())

    def decode_json(self, data: str | bytes) -> object:
        """Return what a client sent; numbers of thousands of digits and deep nesting are its mistakes too."""
        try:
            return super().decode_json(data)
        except (ValueError, RecursionError) as error:
            raise HTTPException(BAD_REQUEST, "Unable to parse request body as JSON") from error

    def parse_http_body(
        self, request: SyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        """Return the query that a body or an address has; others are told what they did wrong."""
        try:
            return super().parse_http_body(request)
        except (UnicodeDecodeError, AttributeError) as error:  # no UTF-8; JSON that is no object has no `get`
            raise HTTPException(BAD_REQUEST, "The body must be a JSON object in UTF-8") from error

    def execute_single(
        self,
        request: HttpRequest,
        request_adapter: SyncHTTPRequestAdapter,
        sub_response: TemporalHttpResponse,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Execute a query; one that was refused before it ran is no success to whoever counts by status."""
        result = super().execute_single(
            request, request_adapter, sub_response, context, root_value, request_data
        )
        errors = result.errors or []
        if errors and all(error.path is None for error in errors):
            sub_response.status_code = SERVER_ERROR if any(map(unexpected, errors)) else BAD_REQUEST
        return result


_view = ShopView.as_view(schema=schema, graphql_ide=None)


def answer(request: HttpRequest) -> HttpResponseBase:
    """Answer a query, or 429 to a client that asks too fast."""
    throttle = ToggledThrottle()
    if throttle.allow_request(request, None):  # type: ignore[arg-type]  # they look at META alone
        return _view(request)
    wait = throttle.wait() or 0
    error = {"message": "Too many requests.", "extensions": {"code": "TOO_MANY_REQUESTS"}}
    headers = {"Retry-After": f"{-int(-wait // 1)}"}
    return JsonResponse({"errors": [error]}, status=TOO_MANY_REQUESTS, headers=headers)
