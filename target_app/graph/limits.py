"""What a query may ask for at most: tokens, levels, fields. Told from its text, before anything is fetched.

A few hundred bytes can ask for millions of rows: objects lead back to where they came
from, lists multiply, and a fragment that spreads another one twice doubles with each
step. So the text is measured first, fragment by fragment and each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from django.conf import settings
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    parse,
)
from strawberry.extensions import SchemaExtension

from graph.types import MOST_ROWS

MOST_TOKENS = 1_000
INTROSPECTION_COST = 100
"""Of `__schema` or `__type`: the library limits their depth, and this how often they are asked for."""


class Size(NamedTuple):
    """What a selection asks for."""

    depth: int = 0
    """Levels of fields."""
    cost: int = 0
    """Fields to resolve at most, each as often as the lists above it have rows."""


class Limits(SchemaExtension):
    """Parses the query, and refuses one that is too deep or too costly."""

    def on_parse(self) -> Iterator[None]:
        """Set the document; raises `GraphQLError` for one that is refused."""
        context = self.execution_context
        document = parse(context.query or "", max_tokens=MOST_TOKENS)  # it refuses hundreds of levels itself
        size = measure(document, context.schema._schema, context.variables or {})
        if size.depth > settings.SHOP_GRAPHQL_DEPTH:
            raise refused("too deep", f"{size.depth} levels", settings.SHOP_GRAPHQL_DEPTH)
        if size.cost > settings.SHOP_GRAPHQL_COST:
            raise refused("too costly", f"up to {size.cost} fields", settings.SHOP_GRAPHQL_COST)
        context.graphql_document = document
        yield


def refused(problem: str, found: str, most: int) -> GraphQLError:
    """Return the error that tells a client what to change."""
    return GraphQLError(
        f"The query is {problem}: it asks for {found}, and {most} are allowed. "
        "Ask for fewer levels, or for fewer rows with `first`.",
        extensions={"code": problem.replace(" ", "_").upper(), "limit": most},
    )


def measure(document: DocumentNode, schema: GraphQLSchema, variables: Mapping[str, Any]) -> Size:
    """Return the size of a document's largest operation; what is unknown or wrong is left to validation."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    sizes = [
        _Measure(schema, fragments, {**_defaults(node), **variables}).selection(
            node.selection_set, schema.get_root_type(node.operation)
        )
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    ]
    return Size(max((each.depth for each in sizes), default=0), max((each.cost for each in sizes), default=0))


@dataclass
class _Measure:
    """Measures the selections of one operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Size] = field(default_factory=dict)
    """Of fragments: each is measured once, however often it is spread."""

    def selection(self, node: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Size:
        """Return the size of a set of selections on `parent`."""
        depth = cost = 0
        for each in node.selections if node else ():
            if isinstance(each, FieldNode):
                size = self.field(each, parent)
            elif isinstance(each, FragmentSpreadNode):
                size = self.fragment(each.name.value)
            else:  # an inline fragment; here all are on the type around it, as no type is one of several
                size = self.selection(cast("InlineFragmentNode", each).selection_set, parent)
            depth, cost = max(depth, size.depth), cost + size.cost
        return Size(depth, cost)

    def field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        """Return the size of a field with all below it, however it is called by an alias."""
        name = node.name.value
        if name.startswith("__"):
            return Size(1, INTROSPECTION_COST if node.selection_set else 1)
        known = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
        inner = self.selection(node.selection_set, get_named_type(known.type) if known else None)
        rows = self._rows(node, known) if known and _is_list(known) and node.selection_set else 1
        return Size(1 + inner.depth, 1 + rows * inner.cost)

    def fragment(self, name: str) -> Size:
        """Return the size of a fragment; one that spreads itself ends here, and is refused by validation."""
        if name not in self.known:
            self.known[name] = Size()
            node = self.fragments.get(name)
            if node is not None:
                on = self.schema.get_type(node.type_condition.name.value)
                self.known[name] = self.selection(node.selection_set, on)
        return self.known[name]

    def _rows(self, node: FieldNode, known: GraphQLField) -> int:
        """Return how many rows a list has at most."""
        given = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        if given is None:
            wanted: Any = known.args["first"].default_value if "first" in known.args else MOST_ROWS
        elif isinstance(given, VariableNode):
            wanted = self.variables.get(given.name.value)
        else:
            wanted = int(given.value) if isinstance(given, IntValueNode) else None
        right = isinstance(wanted, int) and 1 <= wanted <= MOST_ROWS
        return wanted if right else MOST_ROWS


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Return the whole numbers that an operation's variables have where they are not given."""
    return {
        each.variable.name.value: int(each.default_value.value)
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


def _is_list(known: GraphQLField) -> bool:
    inner = known.type.of_type if isinstance(known.type, GraphQLNonNull) else known.type
    return isinstance(inner, GraphQLList)
