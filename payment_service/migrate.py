"""Brings the database's tables up to date, one instance at a time."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from payment_service.database import ServiceDatabase

_LOCK: Final = 7_160_412_281
"""Of PostgreSQL's advisory locks; any number that no other program uses there."""


def migrate(database: ServiceDatabase) -> None:
    """Apply what is missing; nothing where all is there. Instances that start together wait for each other."""
    with database.engine.connect() as connection, connection.execution_options(writes=True).begin():
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_up_to_date(database: ServiceDatabase) -> bool:
    """Return whether the tables are those that this release wants."""
    with database.engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_heads()
    return set(now) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
