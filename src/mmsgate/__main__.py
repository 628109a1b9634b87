"""``python -m mmsgate`` is ``mmsgate``."""

from mmsgate.cli import main

main()
