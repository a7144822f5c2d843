"""All dashboards, and how they are written down."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.source import celery, comparing, generator, service, stores
from grafana.source.kit import Board, build

FOLDER = Path(__file__).parents[1] / "dashboards"
BOARDS: tuple[Board, ...] = (comparing.BOARD, service.BOARD, stores.BOARD, celery.BOARD, generator.BOARD)


def files() -> dict[str, str]:
    """Return the content of each file by its name."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {f"{board.uid}.json": encoder.encode(build(board)) + "\n" for board in BOARDS}
