"""The composition root: builds a gateway out of its rooms, starts and stops it in order.

Nobody imports this but the command line and tests.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from mmsgate.accept.actions import Actions
from mmsgate.accept.caller import Callers as Accounts
from mmsgate.accept.content import SlideFetcher
from mmsgate.accept.discovery import Discoverer
from mmsgate.accept.idempotency import Keys
from mmsgate.accept.limits import LimitsWorkflow
from mmsgate.accept.operators import OperatorFinder
from mmsgate.accept.preview import Previews
from mmsgate.accept.rates import Rates
from mmsgate.accept.router import Router
from mmsgate.accept.save import SaveMmsWorkflow
from mmsgate.accept.saved import SendSavedMmsWorkflow
from mmsgate.accept.send import SendMmsWorkflow
from mmsgate.accept.submission import Submission
from mmsgate.accept.templates import TemplateWorkflows
from mmsgate.api.call import Callers, RequestIds
from mmsgate.api.carriers import REPORTS, CarrierApi
from mmsgate.api.front import AREAS, Front
from mmsgate.api.help import help_routes
from mmsgate.api.limits import LimitsApi
from mmsgate.api.messages import MessagesApi
from mmsgate.api.uploads import Uploads
from mmsgate.api.xml import KEBAB_PATHS, SKYCORE_PATHS, XmlApi
from mmsgate.carriers.lookup import hook_of
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import Profile, carrier_of, is_smsc
from mmsgate.carriers.routing import sms_route
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import DAY, Clock, Ids, SystemClock
from mmsgate.config import Settings
from mmsgate.connections import Close, Connections
from mmsgate.delivery.alarms import Alarms
from mmsgate.delivery.dispatcher import Dispatcher
from mmsgate.delivery.encoder import Encoder
from mmsgate.delivery.failover import Failover
from mmsgate.delivery.lane import Lane
from mmsgate.delivery.mmsc import Rooms, mmsc_lane
from mmsgate.delivery.preparer import Preparer
from mmsgate.delivery.preview import Previewer
from mmsgate.delivery.rendition import Renditions
from mmsgate.delivery.sharing import Sharing
from mmsgate.delivery.smsc import Carries, smsc_lane
from mmsgate.delivery.stranded import Stranded
from mmsgate.delivery.versions import Versions
from mmsgate.domain.account import Account
from mmsgate.domain.message import Message, counted
from mmsgate.domain.slide import Medium
from mmsgate.housekeeping import LOOK_EVERY, Housekeeping
from mmsgate.http import AddressPolicy, HttpClient
from mmsgate.listener import Listener
from mmsgate.lock import lock
from mmsgate.media.adapter import Adapter
from mmsgate.media.blobs import open_blobs
from mmsgate.media.cage import ImageCage
from mmsgate.media.fetcher import Fetcher
from mmsgate.media.ffmpeg import FfmpegCage
from mmsgate.media.intake import Intake
from mmsgate.media.janitor import Janitor
from mmsgate.media.transcoder import Transcoder
from mmsgate.observe import Observe, unobserved
from mmsgate.pages.inbound import inbound_routes
from mmsgate.pages.page import page_link
from mmsgate.pages.routes import routes as page_routes
from mmsgate.pages.stored import StoredPages
from mmsgate.postbacks.ledger import Ledger
from mmsgate.postbacks.sender import PostbackSender
from mmsgate.reports.handsets import Handsets
from mmsgate.reports.inbound import InboundDesk, InboundRules
from mmsgate.reports.reports import Reports, from_receipt
from mmsgate.role import Role
from mmsgate.sms.message import InboundSms
from mmsgate.sms.receipt import Receipt
from mmsgate.store import Store, prepare
from mmsgate.store.accounts import Directory
from mmsgate.store.nodes import Heart
from mmsgate.watch import DirectoryWatch

log = logging.getLogger("mmsgate")
counters_log = logging.getLogger("mmsgate.counters")


class Gateway:
    """One gateway, or one role of it. Use as ``async with Gateway(settings).running(listener):``.

    `extra_routes` are mounted beside the API (the simulator's phones, the demo files).
    """

    def __init__(
        self, settings: Settings, *, role: Role = Role.SERVE, clock: Clock | None = None,
        extra_routes: Sequence[BaseRoute] = (), observe: Observe = unobserved,
    ) -> None:  # fmt: skip
        self.role, self.duties = role, role.duties
        self.settings, self.observe = settings, observe
        self.clock = clock or SystemClock()
        self.ids = Ids(self.clock)
        self._owner = self.ids.token()[:8]
        self.store = Store(settings.where, name=self._owner)
        self.http = HttpClient(policy=AddressPolicy(allow=settings.allowed_origins()))
        self.blobs = open_blobs(settings, self.clock)
        self.watch = DirectoryWatch(self.store, self._on_directory)
        self.ledger = Ledger(self.store, self.watch)
        self.dispatcher = Dispatcher()
        self.alarms = Alarms(self.store, self.clock)
        self.sharing = Sharing(
            self.store.shares, self._owner, connections=lambda: {**self.mmscs.connections, **self.smscs.links},
            account=self._account, wake=self.dispatcher.wake, clock=self.clock,
        )  # fmt: skip
        self.connections = Connections(
            make=self._make_lane if self.duties.delivers else None, dispatcher=self.dispatcher,
            store=self.store, alarms=self.alarms,
        )  # fmt: skip
        self.profiles = self.connections.carriers
        self.heart: Heart | None = None
        self._extra_routes = extra_routes
        self._build()

    # -- the rooms

    def _build(self) -> None:
        self.cage = ImageCage(workers=self.settings.image_workers or None)
        self.intake = Intake(blobs=self.blobs, cage=self.cage)
        self.fetcher = Fetcher(
            http=self.http, blobs=self.blobs, intake=self.intake, cache=self.store.media, clock=self.clock,
            own_uploads=self._own_upload,
        )  # fmt: skip
        self.ffmpeg = FfmpegCage(
            binary=Path(self.settings.ffmpeg) if self.settings.ffmpeg else None,
            folder=self.settings.blobs / "transcoding",  # on the blobs' disk: what is made becomes one by its name
            workers=self.settings.image_workers or None,
        )
        self.adapter = Adapter(blobs=self.blobs, cage=self.cage, transcoder=Transcoder(cage=self.ffmpeg))
        self.versions = Versions(self.store.renditions, self.adapter, self.clock)
        memory = self.settings.memory_cache_bytes // 2  # the other half is the blobs'
        self.encoder = Encoder(self.blobs, self.store.renditions, memory=memory)
        self.renditions = Renditions(self.store.messages.content, self.versions, self.encoder, memory=memory)
        self.preparer = Preparer(
            store=self.store, versions=self.versions, ledger=self.ledger,
            profiles=lambda: list(self.profiles.values()), accounts=self._account,
            clock=self.clock, owner=self._owner,
        )  # fmt: skip
        self.reports = Reports(self.store, self.ledger, self.carrier, self.clock, sms_route=self.sms_route)
        self.handsets = Handsets(self.store, self.clock, days=self.settings.handset_days)
        self.janitor = Janitor(
            blobs=self.blobs, references=self.store.media, cap=self.settings.fetch_cache_bytes, clock=self.clock
        )
        self.stranded = Stranded(self.store, self.ledger, self.alarms, self.clock)
        self.failover = Failover(
            store=self.store, ledger=self.ledger, profiles=lambda: list(self.profiles.values()),
            is_up=self.dispatcher.is_up, moved=self.dispatcher.moved, clock=self.clock,
        )  # fmt: skip
        self.mmscs = Rooms(
            store=self.store, ledger=self.ledger, http=self.http, renditions=self.renditions,
            block_reason=self.block_reason, sms_route=self.sms_route, accounts=self.sharing.turns,
            on_change=self.failover.changed, alarms=self.alarms, clock=self.clock, observe=self.observe,
            part=self.sharing.part,
        )  # fmt: skip
        self.smscs = Carries(
            store=self.store, ledger=self.ledger, page_url=self.page_url, block_reason=self.block_reason,
            alarms=self.alarms, clock=self.clock, accounts=self.sharing.turns, on_change=self.failover.changed,
            observe=self.observe, part=self.sharing.part,
        )  # fmt: skip
        self.sender = PostbackSender(self.store, self.http, self.watch, clock=self.clock, owner=self._owner)
        self.inbound = InboundDesk(
            store=self.store, blobs=self.blobs, directory=self.watch, profile=self.carrier, alarms=self.alarms,
            rules=InboundRules(life=self.settings.inbound_days * DAY, base=self.settings.url),
            on_postback=self.sender.wake, on_due=self.dispatcher.wake, clock=self.clock, ids=self.ids,
        )  # fmt: skip
        self.rates = Rates(self.store, self.clock)
        hook = hook_of(self.settings, http=self.http, clock=self.clock, alarms=self.alarms)
        self.router = Router(
            finder=OperatorFinder(self.store, self.watch, hook=hook, clock=self.clock),
            profiles=lambda: list(self.profiles.values()), is_up=self.dispatcher.is_up,
            has_connection=self.has_connection,
        )  # fmt: skip
        self.housekeeping = self._housekeeping()
        self.crossed = Housekeeping(
            common=[self.reports.rematch_crossed], leads=lambda: self.heart is not None and self.heart.leads,
            every=LOOK_EVERY,
        )  # fmt: skip
        self.store.render_with(self.ledger.render)
        for room in (self.ledger, self.sender, self.reports, self.inbound):
            room.observe = self.observe
        self.ledger.on_postbacks = self.sender.wake
        self.ledger.on_due = self.dispatcher.due
        self.connections.on_carrier = self.failover.changed
        self.connections.on_gone = self._forget
        self.dispatcher.on_stuck = self.failover.stuck
        self.ledger.on_preparation = self.preparer.wake
        self.ledger.on_early_report = self.reports.receive_orphan

    async def _own_upload(self, account: str, url: str) -> Medium | None:
        """The file behind a URL of ours that this account uploaded."""
        prefix = f"{self.settings.url}/media/"
        return (
            await self.store.media.upload(url.removeprefix(prefix), int(account))
            if url.startswith(prefix)
            else None
        )

    def _account(self, account_id: int) -> Account | None:
        return self.watch().accounts.get(account_id)

    async def block_reason(self, account_id: int, sender: str, recipient: str) -> str | None:
        """Why that sender may not send to that recipient, by the block list as it is now."""
        return await self.store.accounts.block_reason(self.watch(), account_id, sender, recipient)

    def carrier(self, name: str) -> CarrierProfile | None:
        """A carrier's profile, also where its connection could not be opened: its reports come all the same."""
        return self.profiles.get(name) or carrier_of(self.watch().profiles.get(name, ""))

    def has_connection(self, name: str) -> bool:
        """Whether there is an SMSC's profile of that name, be it in use or not."""
        return is_smsc(self.watch().profiles.get(name, ""))

    def sms_route(self, names: Sequence[str]) -> str:
        """The SMSC of those that carries an SMS now; empty if there is none."""
        return sms_route(names, has_connection=self.has_connection, is_up=self.dispatcher.is_up)

    def page_url(self, message: Message) -> str:
        """The link of a message's fallback page; empty if it has none."""
        return page_link(message, self.watch().accounts.get(message.account_id), self.settings.url)

    def app(self) -> RequestIds:
        """The ASGI application with every route."""
        callers = Callers(self.settings.trusted_proxies)
        accounts = Accounts(self.watch, self.rates)
        uploads = Uploads(
            store=self.store, blobs=self.blobs, intake=self.intake, accounts=accounts, callers=callers,
            base_url=self.settings.url, clock=self.clock, ids=self.ids,
        )  # fmt: skip
        actions, previews = self._workflows()
        xml = XmlApi(
            accounts, actions, previews, Keys(self.store, self.clock), callers, help_base=self.settings.url,
            observe=self.observe,
        )  # fmt: skip
        carriers = CarrierApi(
            self.reports, self.inbound, self.carrier, alarms=self.alarms, largest=self.settings.inbound_bytes
        )
        routes: list[BaseRoute] = [
            *xml.routes(),
            *MessagesApi(self.store, accounts, callers, page_url=self.page_url).routes(),
            *LimitsApi(LimitsWorkflow(self.router), accounts, callers).routes(),
            *uploads.routes(),
            *carriers.routes(),
            *(self._page_routes() if self.duties.shows else ()),
            *help_routes(),
            *self._extra_routes,
        ]
        front = Front(
            Starlette(routes=routes),
            exact=dict.fromkeys(KEBAB_PATHS, xml.kebab) | dict.fromkeys(SKYCORE_PATHS, xml.skycore),
            below={REPORTS: ("carrier", carriers.receive)},
        )
        return RequestIds(front, areas=AREAS, observe=self.observe)

    def pages(self) -> RequestIds:
        """The ASGI application of those who only show pages and files."""
        return RequestIds(Starlette(routes=self._page_routes()), areas=AREAS, observe=self.observe)

    def _page_routes(self) -> list[BaseRoute]:
        return [
            *page_routes(StoredPages(self.store), self.blobs, clock=self.clock, on_view=self._on_view),
            *inbound_routes(self.store.inbound.by_token, self.blobs, clock=self.clock),
        ]

    def _workflows(self) -> tuple[Actions, Previews]:
        """The workflows of the API's actions, and their previews."""
        store, clock, ids = self.store, self.clock, self.ids
        slides = SlideFetcher(self.fetcher, self.adapter.inspect)
        submission = Submission(
            store=store, router=self.router, block_reason=self.block_reason, on_accepted=self.dispatcher.due,
            on_preparation=self.preparer.wake, clock=clock, ids=ids, observe=self.observe,
        )  # fmt: skip
        send = SendMmsWorkflow(submission=submission, slides=slides, clock=clock, ids=ids)
        save = SaveMmsWorkflow(store=store, slides=slides, ledger=self.ledger, clock=clock, ids=ids)
        saved = SendSavedMmsWorkflow(
            store=store,
            submission=submission,
            discoverer=Discoverer(self.handsets.known, ids),
            clock=clock,
            ids=ids,
        )
        previewer = Previewer(
            profiles=lambda: list(self.profiles.values()), content=store.messages.content, versions=self.versions,
            adapter=self.adapter, encoder=self.encoder, cage=self.cage, blobs=self.blobs,
        )  # fmt: skip
        return (
            Actions(
                send=send, save=save, saved=saved, templates=TemplateWorkflows(store=store, clock=clock, ids=ids)
            ),
            Previews(send=send, save=save, saved=saved, preview=previewer.preview, clock=clock),
        )

    async def _on_view(self, token: str, robot: bool) -> None:
        """Somebody opened a fallback page (R-37); a preview robot is counted apart."""
        reason = "a preview robot fetched the fallback page" if robot else "the fallback page was opened"
        await self.store.messages.note_once(token, reason, at=self.clock.now())

    # -- carriers

    async def _on_directory(self, directory: Directory) -> None:
        await self.connections.follow(directory.profiles)

    def _forget(self, name: str) -> None:
        self.mmscs.connections.pop(name, None)
        self.smscs.links.pop(name, None)

    async def _make_lane(self, profile: Profile) -> tuple[Lane, Close]:
        self.sharing.ask()
        if isinstance(profile, SmscProfile):
            return await self._smsc_lane(profile)
        lane, client = mmsc_lane(profile, self.mmscs)
        return lane, client.close

    async def _smsc_lane(self, profile: SmscProfile) -> tuple[Lane, Close]:
        async def on_receipt(receipt: Receipt, source: str, destination: str) -> None:
            await self.reports.receive(from_receipt(profile.name, receipt, source, destination))

        async def on_inbound(sms: InboundSms) -> None:
            await self.inbound.take_sms(profile.name, sms)

        lane, connection = smsc_lane(profile, self.smscs, on_receipt=on_receipt, on_inbound=on_inbound)
        await connection.start()
        return lane, connection.stop

    # -- life

    @asynccontextmanager
    async def running(self, listener: Listener | None, *, locked: bool = False) -> AsyncIterator["Gateway"]:
        """Everything started, in order; everything stopped the other way round: requests first, the store last.

        `locked` says that the caller holds the data folder's `lock` already. Who shares the work has none.
        """
        async with AsyncExitStack() as stack:
            if not (locked or self.store.is_shared):
                stack.enter_context(lock(self.settings))
            await prepare(self.settings.where)
            await _enter(stack, self.store.start, self.store.stop)
            await self._join(stack)
            await _enter(stack, self.http.start, self.http.stop)
            await _enter(stack, self.blobs.start, self.blobs.stop)
            if self.duties.adapts:
                await _enter(stack, self.cage.start, self.cage.stop)
                await _enter(stack, self.ffmpeg.start, self.ffmpeg.stop)
            stack.push_async_callback(self.fetcher.stop)
            if self.duties.delivers:
                self.sharing.start()
                stack.push_async_callback(self.sharing.stop)  # after the lanes have ended
            stack.push_async_callback(self.dispatcher.stop)
            await _enter(stack, self.watch.start, self.watch.stop)
            await self._take_up_duties(stack)
            stack.callback(self._log_counters)
            if listener is not None:
                await listener.start(self.app() if self.duties.accepts else self.pages())
                stack.push_async_callback(listener.stop)
            yield self

    async def _join(self, stack: AsyncExitStack) -> None:
        """Become one of those who work on the database; alone on it, take over what a dead one held."""
        if self.store.nodes is None:
            await self._recover()
            return
        self.heart = Heart(self.store.nodes, self._owner, self.role, on_number=self._number, clock=self.clock)
        await _enter(stack, self.heart.start, self.heart.stop)

    async def _take_up_duties(self, stack: AsyncExitStack) -> None:
        """Start what works by itself."""
        if self.duties.accepts:
            self.rates.start()
            stack.push_async_callback(self.rates.stop)
        if self.duties.delivers:
            self.failover.start()
            stack.push_async_callback(self.failover.stop)
            self.sender.start()
            stack.push_async_callback(self.sender.stop)
            for keeper in (self.housekeeping, self.crossed):
                keeper.start()
                stack.push_async_callback(keeper.stop)
        if self.duties.prepares:
            self.preparer.start()
            stack.push_async_callback(self.preparer.stop)

    def _number(self, number: int) -> None:
        self.ids.node = number

    def _log_counters(self) -> None:
        """What was done since the start: one line, for people and for the benchmark."""
        done = {
            "fetches": self.fetcher.counters.fetches, "decodes": self.intake.decodes + self.adapter.encodes,
            "encodes": self.encoder.encodes, "commits": self.store.commits,
            "statements": self.store.figures.statements, "round_trips": self.store.figures.round_trips,
        }  # fmt: skip
        counters_log.info("counters: %s", " ".join(f"{name}={number}" for name, number in done.items()))

    async def _recover(self) -> None:
        """This process alone works on the database: leases of the one before are void."""
        now = self.clock.now()
        messages = await self.store.queue.recover(now=now)
        postbacks = await self.store.postbacks.recover(now=now)
        preparations = await self.store.preparations.recover(now=now)
        if messages or postbacks or preparations:
            log.warning(
                "taking over %s, %s and %s of a gateway that was killed", counted(messages, "message"),
                counted(postbacks, "postback"), counted(preparations, "preparation"),
            )  # fmt: skip

    def _housekeeping(self) -> Housekeeping:
        """Lost connections and orphaned reports get another try, what has had its time is dropped."""
        store, now = self.store, self.clock.now
        return Housekeeping(
            own=[lambda: self.connections.follow(self.watch().profiles)],
            common=[
                self.reports.rematch,
                self.inbound.keep_house,
                lambda: store.postbacks.free_forgotten(now=now()),
                lambda: store.keys.expire(now=now()),
                lambda: store.numbers.expire(now=now()),
                lambda: store.queue.forget_days(before=now() // DAY - 7),
                lambda: store.templates.free_unneeded(now=now()),
                lambda: self.stranded.settle(self.dispatcher.connections),
                self.alarms.end_unreadable,
                self.handsets.forget,
                lambda: store.retention.keep(now=now(), days=self.settings.retention_days),
                self.janitor.clean,
            ],
            leads=lambda: self.heart is None or self.heart.leads,
        )


Step = Callable[[], Awaitable[None]]


async def _enter(stack: AsyncExitStack, start: Step, stop: Step) -> None:
    await start()
    stack.push_async_callback(stop)
