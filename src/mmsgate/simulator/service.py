"""The simulator as one thing to start and stop: MMSC, SMSC and phones around one box."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from starlette.applications import Starlette
from starlette.types import ASGIApp

from mmsgate.clock import Clock, Ids
from mmsgate.listener import Listener, PortTaken
from mmsgate.simulator.arrived import Credentials
from mmsgate.simulator.attempts import Attempts
from mmsgate.simulator.box import Box
from mmsgate.simulator.chaos import Chaos, ChaosSettings
from mmsgate.simulator.chaos_web import chaos_routes
from mmsgate.simulator.cutting import CuttableProtocol
from mmsgate.simulator.faces import Door, Faces
from mmsgate.simulator.mmsc import Mmsc
from mmsgate.simulator.personality import Personality, personality
from mmsgate.simulator.phone import Phones
from mmsgate.simulator.phone_web import phone_routes
from mmsgate.simulator.reports import Endpoint, Poster, ReportSender
from mmsgate.simulator.schedule import LoopScheduler
from mmsgate.simulator.smpp import SmppAccount, SmppServer
from mmsgate.simulator.smsc import Smsc
from mmsgate.simulator.smsc_mode import smsc_mode
from mmsgate.simulator.storm import Storm
from mmsgate.simulator.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How the simulator is set up.

    `mmsc_port` serves MM7 at `/mm7` and the phones at `/sim/`; port 0 takes a free one. `user` and `password` are
    the VASP's for MM7, `smpp_system_id` and `smpp_password` its for SMPP (at most 15 and 8 characters).
    `report_url` is where delivery reports go (empty: nowhere), with `report_user` and `report_password`; in it
    ``{carrier}`` stands for the personality that reports, or for `carrier` if it is that of plain `/mm7`: `plays`.
    What phones send goes where the reports of plain `/mm7` go.
    `doors` are further ports whose plain `/mm7` plays another. `smsc_mode` is whom the SMSC plays. `chaos` is what
    goes wrong from the start. `speed` divides every delay of the table; 1 is real time. `max_messages` and
    `max_bytes` bound what the phones keep.
    """

    host: str = "127.0.0.1"
    mmsc_port: int = 8081
    smsc_port: int = 2775
    user: str = "mmsgate"
    password: str = field(default="mmsgate", repr=False)
    smpp_system_id: str = "mmsgate"
    smpp_password: str = field(default="mmsgate", repr=False)
    report_url: str = ""
    report_user: str = ""
    report_password: str = field(default="", repr=False)
    carrier: str = ""
    plays: str = "3gpp"
    doors: tuple[Door, ...] = ()
    smsc_mode: str = "usual"
    chaos: ChaosSettings = field(default_factory=ChaosSettings)
    speed: float = 1.0
    max_messages: int = 1000
    max_bytes: int = 128 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError("speed must be greater than 0: it divides the delays")
        personality(self.plays)
        smsc_mode(self.smsc_mode)


class Simulator:
    """A carrier of one's own. `poster` sends its delivery reports: the gateway's HTTP client will do.

    `web_app` has the phones alone, under `/sim`; `mmsc_app` has `/mm7` and the phones. `chaos` has the dice,
    `phones` send.
    """

    def __init__(self, config: SimulatorConfig, *, poster: Poster, clock: Clock, ids: Ids) -> None:
        self.config = config
        self.box = Box(max_messages=config.max_messages, max_bytes=config.max_bytes)
        self._scheduler = LoopScheduler(config.speed)
        self._attempts = (Attempts(clock, speed=config.speed), Attempts(clock, speed=config.speed))
        self._smsc = Smsc(
            box=self.box,
            attempts=self._attempts[1],
            scheduler=self._scheduler,
            clock=clock,
            ids=ids,
            mode=smsc_mode(config.smsc_mode),
        )
        self.phones = Phones(
            self._endpoint(config.carrier or config.plays),
            poster,
            smsc=self._smsc,
            box=self.box,
            scheduler=self._scheduler,
            clock=clock,
            ids=ids,
            retries=personality(config.plays).reports.retries,
        )
        self.box.arrived = self.phones.arrived
        self.chaos = Chaos(config.chaos)
        self.web_app = Web(self.box, forget=self._forget).app
        self.web_app.routes.extend([*chaos_routes(self.chaos), *phone_routes(self.phones)])
        faces = Faces(partial(self._mmsc, poster=poster, clock=clock, ids=ids))
        self.mmsc_app = Starlette(routes=[*faces.routes(config.plays), *self.web_app.routes])
        self._doors = [
            (Listener(config.host, door.port, grace=1, protocol=CuttableProtocol), faces.routes(door.plays))
            for door in config.doors
        ]
        account = SmppAccount(system_id=config.smpp_system_id, password=config.smpp_password)
        self._http = Listener(config.host, config.mmsc_port, grace=1, protocol=CuttableProtocol)
        self._smpp = SmppServer(account, self._smsc)
        self._changing = asyncio.Lock()

    def _mmsc(self, plays: Personality, *, poster: Poster, clock: Clock, ids: Ids) -> ASGIApp:
        """The MMSC under one of its faces. What it knows of recipients and attempts is that of all."""
        config = self.config
        carrier = (config.carrier or plays.name) if plays.name == config.plays else plays.name
        reports = ReportSender(
            self._endpoint(carrier),
            poster,
            scheduler=self._scheduler,
            tell=lambda number, text: self.box.note(number, text, at=clock.now()),
            style=plays.reports,
            chaos=self.chaos,
        )
        mmsc = Mmsc(
            Credentials(user=config.user, password=config.password),
            box=self.box,
            reports=reports,
            attempts=self._attempts[0],
            scheduler=self._scheduler,
            clock=clock,
            ids=ids,
            plays=plays,
        )
        return Storm(mmsc, self.chaos, self._scheduler)

    def _endpoint(self, carrier: str) -> Endpoint:
        """Where the gateway takes what that carrier has to say."""
        config = self.config
        url = config.report_url.replace("{carrier}", carrier)
        return Endpoint(url=url, user=config.report_user, password=config.report_password)

    @property
    def mmsc_url(self) -> str:
        """Where SubmitReq is taken, while it runs."""
        return f"http://{self._host}:{self._http.port}/mm7"

    @property
    def door_urls(self) -> list[str]:
        """Where the further ports take SubmitReq, in the order of `doors`, while it runs."""
        return [f"http://{self._host}:{listener.port}/mm7" for listener, _ in self._doors]

    @property
    def phones_url(self) -> str:
        """The list of phones on the MMSC's port, while it runs."""
        return f"http://{self._host}:{self._http.port}/sim/"

    @property
    def smsc_port(self) -> int:
        """The port of the SMSC, 0 while it does not run."""
        return self._smpp.port

    @property
    def _host(self) -> str:
        return f"[{self.config.host}]" if ":" in self.config.host else self.config.host

    async def start(self) -> None:
        """Listen on both ports. Safe to call twice. Raises `PortTaken`; then nothing listens."""
        async with self._changing:
            self.box.open()
            try:
                await self._http.start(self.mmsc_app)
                for listener, routes in self._doors:
                    await listener.start(Starlette(routes=routes))
                await self._smpp.start(self.config.host, self.config.smsc_port)
            except PortTaken:
                await self._stop()
                raise

    async def stop(self) -> None:
        """Stop listening; reports and receipts still to come are forgotten. Safe at any time, and twice."""
        async with self._changing:
            await self._stop()

    def release(self) -> None:
        """Let go of pages and tests that wait for news, so that a server they are connected to can shut down."""
        self.box.close()

    async def _stop(self) -> None:
        self.box.close()
        for listener in (self._http, *(listener for listener, _ in self._doors)):
            await listener.stop()
        await self._smpp.stop()
        await self._scheduler.stop()

    def _forget(self) -> None:
        """The boxes were emptied: what was tried before is forgotten too."""
        for attempts in self._attempts:
            attempts.clear()
        self._smsc.forget()
