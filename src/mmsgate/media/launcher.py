"""Puts the cage's limits on itself, then becomes the program: ``launcher.py MEMORY CPU SIZE PROGRAM ARGUMENTS``.

Run as a file by a bare interpreter (``python -I -S -B``), which starts in 10 ms and has the standard library only.
MEMORY is bytes of address space, CPU seconds of processor time, SIZE the most bytes of any file written. If the
program can't be started it says why and ends with 127, as the dynamic loader does that misses a library.
"""

import ctypes
import os
import resource
import signal
import sys

_NICE = 10  # other requests come first
_FILES = 64
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_GRACE = 5  # seconds of CPU between the signal and the end
_NOT_STARTED = 127


def main() -> None:
    memory, cpu, size, *command = sys.argv[1:]
    try:
        _confine(int(memory), int(cpu), int(size))
        os.execve(command[0], command, {})  # noqa: S606 (no shell is wanted; Python itself sets LC_CTYPE)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_NOT_STARTED)


def _confine(memory: int, cpu: int, size: int) -> None:
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + _GRACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _die_with_the_gateway()
    for ignored in (signal.SIGXFSZ, signal.SIGPIPE):  # by Python, and so by what it becomes
        signal.signal(ignored, signal.SIG_DFL)


def _die_with_the_gateway() -> None:
    """A killed gateway can't end what it started; on Linux the kernel does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
