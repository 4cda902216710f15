"""Connections to Redis whose every wait is bounded, and the ways in which they fail."""

from typing import Final

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

SOCKET_TIMEOUT: Final = 1.0

CONNECTION_LOST: Final = (RedisConnectionError, RuntimeError, AttributeError)
"""How a command ends whose connection breaks under it, so that it may be tried on another one.

redis-py turns what sockets raise into its own error. Two kinds pass it by: `RuntimeError` is uvloop's for a transport
that was closed meanwhile, and an `AttributeError` comes of a writer that a disconnection has taken away.
"""

REDIS_FAILURES: Final = (*CONNECTION_LOST, RedisError, OSError, EOFError, UnicodeError)
"""Everything by which a command says that Redis can't be used just now.

`OSError` includes `TimeoutError` and names that DNS does not know; `UnicodeError` is for a host name that can't be one.
"""


def redis_pool(url: str, connections: int, *, check_after: int = 15) -> ConnectionPool:
    """Return a pool whose every wait is bounded. The caller must not ask for more than `connections` at once.

    A connection idle for `check_after` seconds is asked for a sign of life before it is used (0: never).
    """
    return ConnectionPool.from_url(
        url,
        max_connections=connections,
        decode_responses=True,
        encoding_errors="replace",  # what is no text is left to whoever reads the row, like all that can't be read
        protocol=2,  # RESP3's push messages would hide a connection that the server closed
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        health_check_interval=check_after,
        retry=Retry(NoBackoff(), 0),
    )
