"""The demo account and the simulated carrier: what ``mmsgate serve --demo`` sets up. Safe to run at every start."""

import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from mmsgate.carriers.profile import Auth, CarrierProfile, Reach, Reporting
from mmsgate.carriers.record import profile_json
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.clock import Clock
from mmsgate.domain.account import Account, Block, PostbackSettings, Sender, hash_key
from mmsgate.domain.number import SenderType
from mmsgate.mm7.dialect import Dialect
from mmsgate.postbacks.signature import new_secret
from mmsgate.store import Store

ACCOUNT = "demo"
KEY_FILE = "demo-api-key"
CARRIER, SMSC = "sim", "sim-sms"
SENDERS = (
    Sender(number="28444", type=SenderType.SHORT_CODE, services=("32113", "28444mms")),
    Sender(number="12065550100", type=SenderType.LONG_CODE, services=("32113",)),
    Sender(number="18885551234", type=SenderType.TOLL_FREE, services=("32113",)),
)
#: So that a blocked recipient can be tried out.
BLOCKED = Block(account_id=0, sender="", number="*0114", reason="the demo account's example of a blocked number")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCarrier:
    """Where the simulator listens and what it wants to hear."""

    mmsc_url: str
    user: str
    password: str
    smsc_host: str
    smsc_port: int
    system_id: str
    smpp_password: str
    report_user: str
    report_password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The demo account as it stands."""

    account: Account
    api_key: str
    secret: str


def new_api_key() -> str:
    """160 random bits, readable and easy to recognise in a log."""
    return "mg_" + secrets.token_hex(20)


async def ensure_demo(store: Store, data_dir: Path, *, base_url: str, clock: Clock) -> Demo:
    """The demo account: made at the first start; afterwards only its postback URL follows the gateway's address."""
    account = await _find(store)
    if account is None:
        await _create(store, clock)
        account = await _find(store)
        assert account is not None
    key = await _ensure_key(store, account, data_dir / KEY_FILE, clock)
    url = f"{base_url}/demo/postbacks"
    if _is_ours(account.postback.url) and account.postback.url != url:
        account = replace(account, postback=replace(account.postback, url=url))
        await store.accounts.update(account)
    secret = account.postback.secrets[0] if account.postback.secrets else ""
    return Demo(account=account, api_key=key, secret=secret)


def _is_ours(url: str) -> bool:
    """Whether nobody has pointed the account's postbacks elsewhere."""
    return not url or url.endswith("/demo/postbacks")


async def _find(store: Store) -> Account | None:
    accounts = (await store.accounts.directory()).accounts.values()
    return next((account for account in accounts if account.name == ACCOUNT), None)


async def _create(store: Store, clock: Clock) -> None:
    settings = Account(id=0, name=ACCOUNT, postback=PostbackSettings(secrets=(new_secret(),)))
    account_id = await store.accounts.create(ACCOUNT, settings, at=clock.now())
    for sender in SENDERS:
        await store.accounts.put_sender(account_id, sender)
    await store.accounts.block(replace(BLOCKED, account_id=account_id), at=clock.now())


async def _ensure_key(store: Store, account: Account, path: Path, clock: Clock) -> str:
    """The key in the file, if it still opens the account; else a new one."""
    key = _read_secret(path)
    if key and (await store.accounts.directory()).by_key.get(hash_key(key)) == account.id:
        return key
    key = new_api_key()
    await store.accounts.add_key(account.id, hash_key(key), label="demo", hint=key[-4:], at=clock.now())
    write_secret(path, key)
    return key


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def write_secret(path: Path, secret: str) -> None:
    """A file that only its owner can read, from the first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")


async def ensure_simulated_carrier(store: Store, sim: SimulatedCarrier) -> None:
    """Profiles that lead to the simulator's ports of this run."""
    carrier = CarrierProfile(
        name=CARRIER, endpoints=(sim.mmsc_url,), auth=Auth(username=sim.user, password=sim.password),
        reports=Reporting(user=sim.report_user, password=sim.report_password),
        mm7=Dialect(vaspid="mmsgate", vasid="28444mms"), reach=Reach(sms=(SMSC,)),
    )  # fmt: skip
    smsc = SmscProfile(
        name=SMSC, host=sim.smsc_host, port=sim.smsc_port, system_id=sim.system_id, password=sim.smpp_password
    )
    kept = (await store.accounts.directory()).profiles
    for profile in (carrier, smsc):
        text = profile_json(profile)
        if kept.get(profile.name) != text:
            await store.accounts.put_carrier(profile.name, text)
