"""That the Payment MS took our key, kept in the store: a restart of ours must not make a lost service a wrong key."""

import hashlib
from typing import Final

from pydantic import SecretStr

from services.storage.port import Store

_ROW: Final = "key-proof:payment_ms"


class StoredKeyProof:
    """Remembers for one key at one address; with another key or address nothing is proven. Holds a hash, not the key.

    Both methods raise StoreUnavailable.
    """

    def __init__(self, store: Store, base_url: str, key: SecretStr) -> None:
        self._store = store
        self._name = hashlib.sha256(f"{base_url.rstrip('/')}\n{key.get_secret_value()}".encode()).hexdigest()

    async def holds(self) -> bool:
        """Return whether the service ever took this key."""
        return await self._store.get(_ROW) == self._name

    async def keep(self) -> None:
        """Remember that it did."""
        if not await self.holds():
            await self._store.put(_ROW, self._name, None)
