"""A shop of a few hundred rows, with long lists and ties all the same."""

from seeding.sizes import Size

TINY = Size(
    departments=3,
    groups=2,
    leaves=2,
    brands=8,
    tags=15,
    products=300,
    customers=50,
    orders=300,
    reviews=2_000,
)
