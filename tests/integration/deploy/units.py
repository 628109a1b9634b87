"""systemd's units of `deploy/systemd`."""

from dataclasses import dataclass
from pathlib import Path

from tests.integration.deploy.files import SYSTEMD, text_of

PROGRAM = "/opt/mmsgate/bin/mmsgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A service's file: its lines are `(section, key, value)`."""

    path: Path
    lines: tuple[tuple[str, str, str], ...]

    @property
    def name(self) -> str:
        return self.path.stem

    def all(self, key: str) -> list[str]:
        return [value for _, name, value in self.lines if name == key]

    def one(self, key: str) -> str:
        (value,) = self.all(key)
        return value

    @property
    def command(self) -> list[str]:
        program, *arguments = self.one("ExecStart").split()
        assert program == PROGRAM
        return arguments

    def environment(self, instance: str) -> dict[str, str]:
        """As the process has it: the file that all share wins."""
        lines = [value.replace("%i", instance).replace("%S", "/var/lib") for value in self.all("Environment")]
        if self.command != ["serve"]:  # there it may be missing
            example = text_of(SYSTEMD / "mmsgate.env.example").splitlines()
            lines += [line for line in example if line and not line.startswith("#")]
        return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _read(path: Path) -> Unit:
    section, lines = "", []
    for line in text_of(path).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            lines.append((section, key, value))
    return Unit(path=path, lines=tuple(lines))


UNITS = [_read(path) for path in sorted(SYSTEMD.glob("*.service"))]
