"""GraphQL: what a query may ask for, and whether the schema may be asked for."""

from config.settings.security import SHOP_ENV
from config.settings.source import env

SHOP_GRAPHQL_DEPTH = env.number("SHOP_GRAPHQL_DEPTH", 6, least=1)
"""Levels of fields."""
SHOP_GRAPHQL_COST = env.number("SHOP_GRAPHQL_COST", 2_000, least=1)
"""Fields to resolve, each as often as the lists above it have rows."""
SHOP_GRAPHQL_INTROSPECTION = env.flag("SHOP_GRAPHQL_INTROSPECTION", default=SHOP_ENV != "production")
