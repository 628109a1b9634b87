"""``make bench``: what the gateway does, beside the floor of the same run.

The gateway, the sink (carrier, origin, receiver of postbacks) and the load are three processes on one machine.
Reports and postbacks are on. CPU is that of all the gateway's processes, from the request to the last postback. The
floor is a bare client loop that posts the same number of bytes to the same sink. The part ``adaptation`` needs
no gateway: its floor is Pillow and ffmpeg by themselves. That of ``hostile`` is the gateway without a neighbour,
that of ``sms`` a loop that writes the same octets to the same SMSC, that of ``scale`` a bare ``COPY``.
"""

import argparse
import tempfile
from pathlib import Path

import uvloop
from rich.console import Console

from bench import adaptation, delivery, hostile, reports, scale, sending, sms, templates
from bench.media import write_pictures

PARTS = ("sending", "templates", "delivery", "adaptation", "hostile", "sms", "reports", "scale")


async def main(parts: list[str], messages: int, recipients: int, count: int, rounds: int) -> None:
    console = Console(width=260)
    with tempfile.TemporaryDirectory(prefix="mmsgate-media-") as folder:
        media = Path(folder)
        write_pictures(media)
        if "sending" in parts:
            console.print(await sending.measure_all(messages, media))
        if "templates" in parts:
            console.print(await templates.measure_all(recipients, media))
        if "delivery" in parts:
            for shown in await delivery.measure_all(messages, media):
                console.print(shown)
        if "scale" in parts:
            console.print(await scale.measure_all(messages, rounds, media))
    if "adaptation" in parts:
        console.print(*await adaptation.measure_all())
    if "hostile" in parts:
        console.print(await hostile.measure_all())
    if "sms" in parts:
        console.print(*await sms.measure_all(recipients))
    if "reports" in parts:
        console.print(await reports.measure_all(count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these parts (default: all)")
    parser.add_argument("--messages", type=int, default=2000, help="sendMMS: messages a row (default: 2000)")
    parser.add_argument(
        "--recipients", type=int, default=10_000, help="sendSavedMMS and SMS: numbers (default: 10000)"
    )
    parser.add_argument("--reports", type=int, default=reports.REPORTS, help="reports a row (default: 100000)")
    parser.add_argument("--rounds", type=int, default=scale.ROUNDS, help="scale: rounds (default: 3)")
    given = parser.parse_args()
    uvloop.run(main(given.parts or list(PARTS), given.messages, given.recipients, given.reports, given.rounds))
