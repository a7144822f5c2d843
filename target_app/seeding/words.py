"""Texts put together from short lists: names, descriptions, reviews."""

from __future__ import annotations

import random
from collections.abc import Callable

DEPARTMENTS = (
    "Kitchen", "Garden", "Office", "Outdoor", "Music", "Toys",
    "Lighting", "Bathroom", "Workshop", "Travel", "Sports", "Pets",
)  # fmt: skip
GROUPS = ("Basics", "Premium", "Storage", "Tools", "Care", "Spare parts")
LEAVES = ("Small", "Large", "Portable", "Fixed", "Seasonal")
ADJECTIVES = (
    "Quiet", "Folding", "Sturdy", "Light", "Compact", "Double", "Round", "Classic", "Modern", "Soft",
    "Bright", "Slim", "Heavy", "Flexible", "Smooth", "Robust", "Wide", "Tall", "Rapid", "Gentle",
)  # fmt: skip
MATERIALS = (
    "Oak", "Steel", "Linen", "Glass", "Bamboo", "Copper", "Cotton", "Walnut", "Ceramic", "Aluminium",
    "Leather", "Cork", "Wool", "Granite", "Brass", "Birch",
)  # fmt: skip
NOUNS = (
    "Kettle", "Lamp", "Chair", "Rack", "Basket", "Drum", "Tent", "Desk", "Brush", "Bottle", "Shelf", "Clock",
    "Stool", "Tray", "Hammer", "Rope", "Pan", "Blanket", "Mirror", "Whistle", "Ladder", "Bowl", "Saw", "Vase",
    "Puzzle", "Bench", "Filter", "Handle", "Cushion", "Torch", "Cabinet", "Scale", "Funnel", "Hook", "Gate",
)  # fmt: skip
TAGS = (
    "new", "sale", "gift", "eco", "handmade", "vegan", "recycled", "bestseller", "limited", "waterproof",
    "wireless", "washable", "foldable", "refurbished", "local",
)  # fmt: skip
BRAND_STARTS = (
    "Nor",
    "Al",
    "Ber",
    "Cas",
    "Dul",
    "El",
    "Fal",
    "Gren",
    "Hal",
    "Is",
    "Jor",
    "Kel",
    "Lun",
    "Mar",
)
BRAND_ENDS = ("wick", "dal", "ton", "mere", "vik", "stad", "ford", "holm", "field", "gard", "sund", "ley")
FIRST_NAMES = (
    "Ada",
    "Ben",
    "Cleo",
    "Dana",
    "Emil",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "June",
    "Karl",
    "Lea",
    "Mio",
)
LAST_NAMES = ("Adler", "Brandt", "Conti", "Dahl", "Evans", "Ferri", "Grant", "Haas", "Ito", "Jansen", "Kovac")
COUNTRIES = ("DE", "FR", "GB", "IT", "JP", "NL", "NO", "PL", "ES", "SE", "US")
_SUBJECTS = (
    "The frame", "Its surface", "The handle", "Every joint", "The lid", "The base", "Its finish", "The seam",
    "The packaging", "The mechanism",
)  # fmt: skip
_VERBS = (
    "keeps", "resists", "carries", "survives", "outlasts", "follows", "supports", "withstands", "fits",
    "suits",
)  # fmt: skip
_OBJECTS = (
    "daily use in a busy household", "rain, frost and summer heat", "more weight than one expects",
    "years of careless handling", "narrow rooms and low ceilings", "the demands of a professional",
    "what older models could not", "a change of taste now and then", "both left and right hands",
    "standard spare parts from any shop",
)  # fmt: skip
_OPINIONS = (
    "Works as described", "Arrived late but intact", "Better than the one before", "Not what I had hoped for",
    "Would buy it again", "My neighbours asked where I found it", "The colour differs from the picture",
    "Easy to clean", "Too small for us", "Still like new after a year", "The manual could be clearer",
    "Good value for the price", "It squeaks a little", "Exactly what was missing in our home",
)  # fmt: skip
LONGEST_TEXT = 40
"""Sentences."""


def descriptions(rng: random.Random, count: int) -> list[str]:
    """Return `count` product descriptions, most of them short, a few very long."""
    return [_text(rng, _sentence, median=4.0, spread=0.8) for _ in range(count)]


def review_texts(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Return `count` pairs of a title and a text."""
    return [(rng.choice(_OPINIONS), _text(rng, _opinion, median=2.0, spread=0.9)) for _ in range(count)]


def _text(
    rng: random.Random, sentence: Callable[[random.Random], str], *, median: float, spread: float
) -> str:
    length = min(LONGEST_TEXT, max(1, round(median * rng.lognormvariate(0.0, spread))))
    return " ".join(sentence(rng) for _ in range(length))


def _sentence(rng: random.Random) -> str:
    noun = rng.choice(NOUNS).lower()
    return f"{rng.choice(_SUBJECTS)} of this {noun} {rng.choice(_VERBS)} {rng.choice(_OBJECTS)}."


def _opinion(rng: random.Random) -> str:
    return f"{rng.choice(_OPINIONS)}."
