"""``mmsgate inbox``: what came in, whose it is, and what became of it."""

from dataclasses import replace

import pytest

from mmsgate.clock import DAY
from mmsgate.domain.account import Block, BlockOrigin, Sender
from mmsgate.domain.inbound import Inbound, InboundFile, InboundKind
from mmsgate.domain.number import SenderType
from mmsgate.domain.optout import Intent
from mmsgate.store import Arrival, PostbackRow, Store
from tests.integration.cli.conftest import Shell
from tests.unit.builders import NOW

FILES = (
    InboundFile(number=1, extension="jpg", mime="image/jpeg", blob="ab", size=31_200, attach=False),
    InboundFile(
        number=2, extension="html", mime="text/html", blob="cd", size=80, attach=True,
        note="it is HTML, only to be saved",
    ),
)  # fmt: skip
INBOUND = Inbound(
    id=5, tracking_id="mo-5", kind=InboundKind.MMS, connection="sim", reference="link-1", account_id=1,
    sender="12065550199", recipient="28444", subject="The [lake]", keyword="LAKE", files=FILES, token="t" * 22,
    sent_at=NOW, received_at=NOW, expires_at=NOW + 30 * DAY,
)  # fmt: skip
POSTBACK = PostbackRow(receiver="1 x", url="x", code="N401", content_type="text/xml", body=b"<a/>")


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """One message of the account's, one STOP, and one that is nobody's."""
    stop = replace(
        INBOUND,
        id=6,
        tracking_id="mo-6",
        kind=InboundKind.SMS,
        files=(),
        token="",
        intent=Intent.OPT_OUT,
        text="STOP",
    )
    homeless = replace(stop, id=7, tracking_id="mo-7", account_id=None, intent=None, recipient="99999")

    async def fill(store: Store) -> None:
        await store.accounts.put_sender(1, Sender(number="28444", type=SenderType.SHORT_CODE))
        await store.inbound.record(
            [
                Arrival(inbound=INBOUND, digest="a", horizon=0, postback=POSTBACK),
                Arrival(inbound=stop, digest="b", horizon=0, note="1 of its 3 parts never came"),
                Arrival(inbound=homeless, digest="c", horizon=0),
            ]
        )

    shell.store(fill)
    return shell


def test_the_list_is_newest_first_with_masked_numbers_and_what_became_of_each(filled: Shell) -> None:
    lines = filled.succeeds("inbox", "list").splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["mo-7", "mo-6", "mo-5"]
    assert "12•••••0199" in lines[1]
    assert "12065550199" not in "".join(lines)
    assert "kept: no account has the number" in lines[1]
    assert "opt-out; nobody is told; 1 of its 3 parts never came" in lines[2]
    assert "N401 waits for its receiver" in lines[3]


def test_one_message_is_shown_with_its_files_and_their_addresses(filled: Shell) -> None:
    said = filled.succeeds("inbox", "show", "mo-5")
    assert "12065550199 → 28444  acme" in said
    assert "subject: The [lake]" in said
    assert "carrier's id: link-1" in said
    assert "file 1.jpg  image/jpeg  31,200 bytes\n" in said
    assert "file 2.html  text/html  80 bytes, only to be saved  it is HTML, only to be saved" in said
    assert f"http://127.0.0.1:8080/mo/{'t' * 22}/1.jpg" in said
    assert "postback 1  N401  pending" in said


def test_latest_is_the_newest_and_an_unknown_id_is_said_so(filled: Shell) -> None:
    assert "mo-7" in filled.succeeds("inbox", "show", "latest")
    assert "there is no inbound message 'mo-8'" in filled.fails("inbox", "show", "mo-8")


def test_the_doctor_points_at_what_is_nobody_s(filled: Shell) -> None:
    assert "inbound messages for nobody's number: 1" in filled.run("doctor").output


def test_an_opt_out_stands_on_the_block_list_with_its_reason_and_date(shell: Shell) -> None:
    block = Block(
        account_id=1, sender="28444", number="12065550199", reason="opted out with 'STOP' by SMS",
        origin=BlockOrigin.PHONE,
    )  # fmt: skip
    shell.store(lambda store: store.accounts.opt_out(block, at=NOW))
    shell.succeeds("account", "block", "add", "acme", "1900*", "--reason", "premium")
    first, second = shell.succeeds("account", "block", "list", "acme").splitlines()[1:]
    assert first.split()[:4] == ["12065550199", "28444", "phone", "2026-01-02T09:30:47+00:00"]
    assert "opted out with 'STOP' by SMS" in first
    assert second.split()[:3] == ["1900*", "all", "operator"]
    assert "block list: 2 entries, 1 of them opt-outs" in shell.succeeds("account", "show", "acme")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('keywords={"28444": ["INFO", "JOIN"]}', None),
        ("postback.mo_url=https://example.com/mo", None),
        ("postback.mo=false", None),
        ("optout.stop_text=Bye from {number}", None),
        ('optout.excluded=["28444"]', None),
        ("optout.enabled=null", None),
        ("keywords=INFO", "keywords must be lists of texts by name"),
        ("postback.mo_url=example.com", "postback.mo_url: it must be an http or https URL, or empty"),
        ("postback.mo=maybe", "postback.mo must be true, false or null"),
        ("optout.excluded=28444", "optout.excluded must be a list of texts"),
    ],
)
def test_the_settings_of_inbound_messages(shell: Shell, setting: str, said: str | None) -> None:
    if said is None:
        shell.succeeds("account", "set", "acme", setting)
        assert shell.account.name == "acme"
    else:
        assert said in shell.fails("account", "set", "acme", setting)


def test_settings_survive_being_kept(shell: Shell) -> None:
    shell.succeeds("account", "set", "acme", 'keywords={"28444": ["INFO"]}', 'optout.excluded=["12065550100"]')
    assert shell.account.keywords == {"28444": frozenset({"INFO"})}
    assert shell.account.optout.excluded == ("12065550100",)


def recipient_of(shell: Shell, tracking_id: str) -> str:
    found: list[str] = []

    async def look(store: Store) -> None:
        row = await store.inbound.by_tracking(tracking_id)
        assert row is not None
        found.append(row.inbound.recipient)

    shell.store(look)
    return found[0]


def test_a_message_that_is_nobody_s_is_assigned_to_one_of_our_numbers(filled: Shell) -> None:
    assert "mo-7 is for 28444" in filled.succeeds("inbox", "assign", "mo-7", "28444")
    assert recipient_of(filled, "mo-7") == "28444"


@pytest.mark.parametrize(
    ("tracking_id", "number", "reason"),
    [
        ("mo-8", "28444", "there is no inbound message 'mo-8'"),
        ("mo-7", "28445", "no account has the number '28445'"),
        ("mo-5", "28444", "mo-5 has an account already"),
    ],
)
def test_what_cannot_be_assigned_is_said_and_left(
    filled: Shell, tracking_id: str, number: str, reason: str
) -> None:
    assert reason in filled.fails("inbox", "assign", tracking_id, number)
    assert recipient_of(filled, "mo-7") == "99999"
