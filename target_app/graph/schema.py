"""The schema, executed as the toggle `graphql` says."""

from __future__ import annotations

from typing import Any

import strawberry
from asgiref.sync import async_to_sync
from django.conf import settings
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection, MaskErrors, SchemaExtension
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.utils.logging import StrawberryLogger

from core import toggles
from graph.limits import Limits
from graph.types import Query


def unexpected(error: GraphQLError) -> bool:
    """Tell whether an error is the shop's own: what clients did wrong is told to them, this to the log."""
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


class ShopSchema(strawberry.Schema):
    """Runs on an event loop where data loaders are chosen: they need one to wait on."""

    def execute_sync(self, *words: Any, **more: Any) -> ExecutionResult:  # noqa: ANN401 - as strawberry's
        """Execute a query, and wait for its result."""
        if toggles.choice("graphql") == "dataloader":
            return async_to_sync(self.execute)(*words, **more)
        return super().execute_sync(*words, **more)

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """Return what looks at each query; whether the schema may be asked for is a setting."""
        chosen = super().get_extensions(sync)
        return chosen if settings.SHOP_GRAPHQL_INTROSPECTION else [*chosen, DisableIntrospection()]

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log what is the shop's fault."""
        for error in filter(unexpected, errors):
            StrawberryLogger.error(error, execution_context)


schema = ShopSchema(Query, extensions=[Limits, lambda: MaskErrors(unexpected)])
