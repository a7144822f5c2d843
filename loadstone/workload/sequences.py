"""What a user sent, as a hash that two runs can compare."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadstone.workload.twins import Request

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass
class SequenceHash:
    """Hash chain of one user's requests, remembered at powers of two."""

    count: int = 0
    checkpoints: dict[int, str] = field(default_factory=dict)
    _chain: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))

    def add(self, request: Request, base_url: str) -> None:
        """Add method, name, path, query parameters and body; `base_url` differs between runs."""
        content = _stable(request.content).replace(base_url, "")
        text = f"{request.method}\x1f{request.step}\x1f{request.path}\x1f{content}\x1e"
        self._chain.update(text.encode(errors="surrogatepass"))
        self.count += 1
        if self.count & (self.count - 1) == 0:
            self.checkpoints[self.count] = self._chain.hexdigest()


def _stable(value: object) -> str:
    """Return `value` as JSON with sorted keys; repr, without addresses, of what JSON does not know."""
    try:
        text = json.dumps(value, sort_keys=True, default=repr)
    except (TypeError, ValueError):
        text = repr(value)
    return _ADDRESS.sub("", text)
