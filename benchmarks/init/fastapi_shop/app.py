"""A small FastAPI app of the kind that is brought under test: items in memory, a list and each of them."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="Items")


class Item(BaseModel):
    """Something to buy."""

    id: int
    name: str
    price: float
    tags: list[str]


ITEMS = {
    number: Item(id=number, name=f"item {number}", price=number * 0.99, tags=["new"] * (number % 3))
    for number in range(1, 501)
}


@app.get("/items")
def items(start: int = 0, limit: int = 50) -> list[Item]:
    """Return a page of items."""
    return list(ITEMS.values())[start : start + limit]


@app.get("/items/{item_id}")
def item(item_id: int) -> Item:
    """Return one item."""
    if item_id not in ITEMS:
        raise HTTPException(404)
    return ITEMS[item_id]


@app.post("/items", status_code=201)
def add(new: Item) -> Item:
    """Keep an item."""
    ITEMS[new.id] = new
    return new
