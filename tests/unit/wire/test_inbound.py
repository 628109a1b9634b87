"""N401 and N211: golden bytes in both dialects, and the contract's order."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from mmsgate.domain.inbound import Inbound, InboundKind
from mmsgate.domain.request import WireDialect
from mmsgate.wire.inbound import render_inbound

Golden = Callable[[str, bytes], None]
KEBAB, SKYCORE = WireDialect.KEBAB, WireDialect.SKYCORE
FILES = ["https://gw.example/mo/hQ2vYkAeV0tTgq8pX1sZbC/1.jpg", "https://gw.example/mo/hQ2vYkAeV0tTgq8pX1sZbC/2.txt"]

MMS = Inbound(
    id=1, tracking_id="9vJ3mXw0T4q1Zb7LkA2cRg", kind=InboundKind.MMS, connection="sim", sender="17745550001",
    recipient="18885551234", operator="31003", subject="The lake & <us>", keyword="INFO",
    sent_at=1_402_144_054_398, received_at=1_402_144_054_398, expires_at=1_404_736_054_398,
)  # fmt: skip
GROUP = replace(MMS, copy_to=("17745550002", "17745550003"), keyword="", subject="", operator="")
SMS = replace(MMS, kind=InboundKind.SMS, text="Hi <there>\nsecond line")


@pytest.mark.parametrize("dialect", [KEBAB, SKYCORE])
@pytest.mark.parametrize(("name", "inbound"), [("n401", MMS), ("n401-group", GROUP), ("n211", SMS)])
def test_golden_inbound_postback(name: str, inbound: Inbound, dialect: WireDialect, golden: Golden) -> None:
    golden(f"wire/postback-{name}.{dialect}.xml", render_inbound(inbound, dialect, files=FILES, group=True))


def order(inbound: Inbound, dialect: WireDialect, *, group: bool = True) -> str:
    root = etree.fromstring(render_inbound(inbound, dialect, files=FILES, group=group))
    return " ".join(str(child.tag) for child in root)


def test_the_order_of_the_contract() -> None:
    whole = "origin code from to keyword tracking-id operator-id timestamp message-subject content"
    assert order(MMS, KEBAB) == whole
    assert order(MMS, SKYCORE) == "ORIGIN CODE FROM TO KEYWORD SUBJECT TRACKINGID SPID TIMESTAMP CONTENT"
    assert order(SMS, SKYCORE) == "ORIGIN CODE FROM TO TEXT RECEIVED TRANSACTIONID"
    assert order(SMS, KEBAB) == "origin code from to text received transaction-id"


def test_the_others_of_a_group_stand_behind_the_recipient_or_nowhere() -> None:
    assert order(GROUP, KEBAB).startswith("origin code from to copy-to keyword")
    assert order(GROUP, SKYCORE).startswith("ORIGIN CODE FROM TO COPYTO KEYWORD")
    assert "copy-to" not in order(GROUP, KEBAB, group=False)


def test_json_is_not_written_as_xml() -> None:
    with pytest.raises(ValueError, match="JSON is not written as XML"):
        render_inbound(MMS, WireDialect.JSON, files=FILES, group=True)


@pytest.mark.parametrize("text", ["\ud800", "\x00\x0b", "]]>", "<!DOCTYPE x>", "&amp;"])
def test_any_text_is_well_formed(text: str) -> None:
    root = etree.fromstring(render_inbound(replace(SMS, text=text), KEBAB, files=[], group=True))
    assert len(root) == 7
