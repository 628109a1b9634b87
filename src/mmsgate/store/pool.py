"""A pool of connections to PostgreSQL, and what it means when one breaks."""

from typing import Any

import asyncpg

from mmsgate.store.engine import StoreFault

#: How long a lost connection is tried again, in seconds, before callers are told.
PATIENCE = 15.0
#: Seconds that one statement may take; longer, and something is wrong with the server.
STATEMENT_TIMEOUT = 30.0

#: The server can't be reached, or is about to stop, or can't be written to: another try may find a better one.
LOST = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError, asyncpg.InternalClientError,
)  # fmt: skip

#: Every statement finds its rows by an index, whatever the statistics of a new table say, and is planned once.
#: Success means committed (promise 1), whatever the server's default is.
_SETTINGS = {
    "synchronous_commit": "on",
    "jit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}  # fmt: skip


async def open_pool(dsn: str, *, name: str, connections: int) -> Any:
    """A pool of connections. Raises `StoreFault` with a sentence that says what is wrong with the address."""
    try:
        pool = await asyncpg.create_pool(
            dsn, min_size=0, max_size=connections, command_timeout=STATEMENT_TIMEOUT, timeout=PATIENCE,
            server_settings={"application_name": name, **_SETTINGS}, target_session_attrs="read-write",
        )  # fmt: skip
        async with pool.acquire():  # it makes connections when they are needed: here is the first
            return pool
    except asyncpg.InvalidPasswordError as error:
        raise StoreFault(f"the database refuses the user or the password of database_url: {error}") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise StoreFault(f"database_url names a database that is not there: {error}") from error
    except (*LOST, asyncpg.PostgresError, ValueError) as error:
        raise unreachable(error) from error


def unreachable(error: BaseException) -> StoreFault:
    words = str(error) or type(error).__name__
    return StoreFault(f"the database can't be reached (the setting database_url): {words}")
