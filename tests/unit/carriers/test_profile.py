"""Profiles as they are kept: every setting comes back, and what is no setting is named."""

import json
from dataclasses import MISSING, Field, fields
from typing import Any

import pytest

from mmsgate.carriers.profile import (
    CarrierProfile,
    OnUnknown,
    SmscProfile,
    carrier_from_json,
    carrier_json,
)
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure
from mmsgate.mm7.dialect import Dialect, Encoding, InnerType, Layout, SmilRefs
from mmsgate.mm7.envelope import Prefix

DIALECT = Dialect(
    vaspid="v", vasid="28444mms", namespace="urn:mm7", mm7_version="5.3.0", prefix=Prefix.PREFIXED,
    soap_action=None, omissions=frozenset({"VASPID", "ReadReply"}),
    constants=(("ServiceCode", "gold"), ("ChargedParty", "Sender")), layout=Layout.FLAT, inner=InnerType.MIXED,
    encoding=Encoding.BASE64, smil_refs=SmilRefs.CID, vcard_mime="text/vcard", allow_adaptations=True,
    delivery_report=False, id_domain="gw.example",
)  # fmt: skip

CARRIER = CarrierProfile(
    name="att", url="https://mmsc.example/mm7", username="u", password="mm7-secret", report_user="r",
    report_password="report-secret", dialect=DIALECT, connections=3, timeout=12.5, keepalive=1.5, limit=1_050_000,
    limits={SenderType.TOLL_FREE: 600_000}, measure=Measure.WIRE, h263=True,
    types=frozenset({"image/jpeg", "text/plain"}), operators=frozenset({"31002", "31062"}),
    sender_types=frozenset({SenderType.LONG_CODE, SenderType.TOLL_FREE}), on_unknown=OnUnknown.RESEND,
    unknown_wait=60_000, report_wait=120_000, indeterminate_is_final=True, rejected_falls_back=True,
    empty_answer_accepts=True, codes={4004: "content", 3500: "recipient"}, sms="att-sms",
)  # fmt: skip

SMSC = SmscProfile(
    name="att-sms", host="smsc.example", port=2775, system_id="gw", password="smpp-secret", window=8,
    unknown_wait=60_000, report_wait=120_000,
)  # fmt: skip

WHOLE = [DIALECT, CARRIER, SMSC]


def usual(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@pytest.mark.parametrize("profile", WHOLE, ids=lambda each: type(each).__name__)
def test_the_examples_differ_from_the_default_in_every_setting(profile: Any) -> None:
    """Otherwise the round trip below would not notice a setting that is lost."""
    assert [field.name for field in fields(profile) if getattr(profile, field.name) == usual(field)] == []


@pytest.mark.parametrize("profile", [CARRIER, SMSC], ids=lambda each: each.name)
def test_every_setting_comes_back_as_it_was_kept(profile: CarrierProfile | SmscProfile) -> None:
    back = carrier_from_json(carrier_json(profile))
    assert back == profile
    for field in fields(profile):
        assert type(getattr(back, field.name)) is type(getattr(profile, field.name))


def test_enumerations_come_back_as_themselves() -> None:
    back = carrier_from_json(carrier_json(CARRIER))
    assert isinstance(back, CarrierProfile)
    assert back.on_unknown is OnUnknown.RESEND
    assert back.dialect.layout is Layout.FLAT
    assert back.dialect.prefix is Prefix.PREFIXED
    assert {type(each) for each in back.sender_types} == {SenderType}


def test_equal_profiles_are_kept_as_equal_texts() -> None:
    """A gateway opens a lane anew when the text has changed."""
    other = CarrierProfile(
        **{field.name: getattr(CARRIER, field.name) for field in fields(CARRIER)}
        | {"types": frozenset({"text/plain", "image/jpeg"}), "operators": frozenset({"31062", "31002"})}
    )
    assert carrier_json(other) == carrier_json(CARRIER)


def test_what_is_not_kept_has_its_default() -> None:
    kept = {"name": "att", "url": "https://mmsc.example/", "dialect": {"vaspid": "v"}}
    assert carrier_from_json(json.dumps(kept)) == CarrierProfile(
        name="att", url="https://mmsc.example/", dialect=Dialect(vaspid="v")
    )


def test_a_profile_without_a_kind_is_mm7() -> None:
    assert isinstance(carrier_from_json('{"name": "att", "url": "http://a/"}'), CarrierProfile)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"limitz": 1}, "limitz"),
        ({"Timeout": 1, "clock": 2}, "Timeout, clock"),
        ({"host": "smsc.example"}, "host"),
        ({"kind": "smpp", "host": "h", "port": 1}, "url"),
        ({"dialect": {"vaspID": "v"}}, "vaspID"),
        ({"dialect": {"omissions": ["Colour"]}}, "Colour"),
        ({"dialect": {"constants": [["Colour", "red"]]}}, "Colour"),
        ({"dialect": {"layout": "round"}}, "round"),
        ({"on_unknown": "shrug"}, "shrug"),
        ({"sender_types": ["pigeon"]}, "pigeon"),
        ({"codes": {"many": "recipient"}}, "many"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(change: dict[str, object], named: str) -> None:
    kept = {"name": "att", "url": "http://a/"} | change
    with pytest.raises(ValueError, match=named):
        carrier_from_json(json.dumps(kept))


@pytest.mark.parametrize(
    ("kept", "named"),
    [({}, "name, url"), ({"name": "att"}, "url"), ({"kind": "smpp", "name": "att", "port": 1}, "host")],
)
def test_what_has_no_default_must_be_there(kept: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        carrier_from_json(json.dumps(kept))


@pytest.mark.parametrize("profile", WHOLE, ids=lambda each: type(each).__name__)
def test_no_credential_shows_in_a_repr(profile: Any) -> None:
    assert "secret" not in repr(profile)
    assert "vaspid" not in repr(profile)


@pytest.mark.parametrize(
    ("operators", "operator", "expected"),
    [
        ({"*"}, "31002", True),
        ({"*"}, "", True),
        ({"31002"}, "31002", True),
        ({"31002"}, "31003", False),
        ({"31002"}, "", False),
        (set(), "31002", False),
    ],
)
def test_a_profile_serves_the_operators_it_names(operators: set[str], operator: str, expected: bool) -> None:
    profile = CarrierProfile(name="att", url="http://a/", operators=frozenset(operators))
    assert profile.serves(operator) is expected
