"""Profiles as they are kept: every setting comes back, and what is no setting is named."""

import json
from dataclasses import MISSING, Field, fields, replace
from typing import Any

import pytest

from mmsgate.carriers.profile import (
    Answers,
    Auth,
    AuthKind,
    CarrierProfile,
    Gives,
    Limits,
    OnUnknown,
    Pace,
    Reach,
    Reporting,
)
from mmsgate.carriers.record import Profile, carrier_of, profile_from, profile_from_json, profile_json
from mmsgate.carriers.smsc import (
    AlphanumericName,
    NetworkNumber,
    Numbers,
    NumberType,
    Receipts,
    SmscAnswers,
    SmscPace,
    SmscProfile,
    SmscTls,
)
from mmsgate.domain.gsm import Alphabet
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure
from mmsgate.mm7.dialect import (
    BoundaryAlphabet,
    Dialect,
    Encoding,
    Expiry,
    InnerType,
    Layout,
    PartIds,
    RecipientStyle,
    SenderStyle,
    SmilRefs,
    Start,
)
from mmsgate.mm7.envelope import Prefix
from mmsgate.mm7.subject import SubjectPolicy
from mmsgate.sms.writing import LongSms, Writing

DIALECT = Dialect(
    vaspid="v", vasid="{sender}mms", vasids=(("28444", "gold"), ("32113", "silver")), namespace="urn:mm7",
    mm7_version="5.3.0", prefix=Prefix.PREFIXED, soap_action="urn:mm7",
    omissions=frozenset({"VASPID", "ReadReply"}), constants=(("ServiceCode", "gold"), ("ChargedParty", "Sender")),
    layout=Layout.FLAT, inner=InnerType.MIXED, encoding=Encoding.BASE64, smil_refs=SmilRefs.CID,
    vcard_mime="text/vcard", allow_adaptations=True, delivery_report=False, id_domain="gw.example",
    id_brackets=False, part_ids=PartIds.DOMAIN, part_names=False, content_location=False, start=Start.BARE,
    boundary=BoundaryAlphabet.MIME, boundary_length=32, sender=SenderStyle.BY_LENGTH, short_code_length=5,
    sender_plus=True, recipient=RecipientStyle.PLMN, carrier_header="X-Carrier", expiry=Expiry.RELATIVE,
    carrier_ids=(("31002", "0001470"),), subject=SubjectPolicy.STRIP,
)  # fmt: skip
AUTH = Auth(
    kind=AuthKind.HEADER, username="u", password="mm7-secret", header="X-Key", value="header-secret",
    certificate="/c.pem", key="/k.pem", authorities="/ca.pem",
)  # fmt: skip
REACH = Reach(
    operators=frozenset({"31002", "31062"}), prefixes=frozenset({"1206"}), priority=2, sms=("att-sms", "other-sms"),
    sender_types=frozenset({SenderType.LONG_CODE, SenderType.TOLL_FREE}),
)  # fmt: skip
LIMITS = Limits(
    bytes=1_050_000, by_sender={SenderType.TOLL_FREE: 600_000}, measure=Measure.WIRE, h263=True,
    types=frozenset({"image/jpeg", "text/plain"}),
)  # fmt: skip
PACE = Pace(
    connections=3, timeout=12_500, keepalive=1_500, rate=20.5, burst=5, sender_rate=0.5, sender_daily=2_000
)  # fmt: skip
ANSWERS = Answers(
    empty_accepts=True, codes={4004: "content", 3500: "recipient"}, types=frozenset({"text/xml"}),
    on_unknown=OnUnknown.RESEND, unknown_wait=60_000,
)  # fmt: skip
REPORTS = Reporting(
    user="r", password="report-secret", gives=Gives.NONE, wait=120_000, swapped=True, retrieved_is_final=False,
    indeterminate_is_final=True, rejected_falls_back=True,
)  # fmt: skip
CARRIER = CarrierProfile(
    name="att", endpoints=("https://mmsc.example/mm7", "https://spare.example/mm7"), auth=AUTH, mm7=DIALECT,
    reach=REACH, limits=LIMITS, pace=PACE, answers=ANSWERS, reports=REPORTS,
)  # fmt: skip
OTHER = NumberType(ton=2, npi=8)
SMSC = SmscProfile(
    name="att-sms", host="smsc.example", port=2775, system_id="gw", password="s-secret", system_type="vasp",
    service_type="CMT", tls=SmscTls(enabled=True, authorities="a.pem", certificate="c.pem", key="k.pem"),
    numbers=Numbers(
        short_code=NetworkNumber(ton=2, npi=8), long_code=OTHER, toll_free=OTHER,
        alphanumeric=AlphanumericName(ton=2, npi=8), recipient=OTHER,
    ),
    text=Writing(
        alphabet=Alphabet.LATIN1, data_coding=0, unicode=False, long=LongSms.PAYLOAD, most_parts=3
    ),
    pace=SmscPace(
        window=8, rate=25.0, burst=5, sender_rate=0.5, sender_daily=200, timeout=5_000,
        enquire=15_000, connect=20_000, retry=300_000,
    ),
    answers=SmscAnswers(on_unknown=OnUnknown.RESEND, unknown_wait=60_000),
    receipts=Receipts(gives=Gives.NONE, wait=120_000),
)  # fmt: skip

WHOLE = [
    DIALECT, AUTH, REACH, LIMITS, PACE, ANSWERS, REPORTS, CARRIER,
    SMSC, SMSC.tls, SMSC.numbers, SMSC.text, SMSC.pace, SMSC.answers, SMSC.receipts,
]  # fmt: skip
LEAST = {"name": "att", "endpoints": ["https://mmsc.example/"]}


def usual(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@pytest.mark.parametrize("whole", WHOLE, ids=lambda each: type(each).__name__)
def test_the_examples_differ_from_the_default_in_every_setting(whole: Any) -> None:
    """Otherwise the round trip below would not notice a setting that is lost."""
    assert [field.name for field in fields(whole) if getattr(whole, field.name) == usual(field)] == []


@pytest.mark.parametrize("profile", [CARRIER, SMSC], ids=lambda each: each.name)
def test_every_setting_comes_back_as_it_was_kept(profile: Profile) -> None:
    back = profile_from_json(profile_json(profile))
    assert back == profile
    for field in fields(profile):
        assert type(getattr(back, field.name)) is type(getattr(profile, field.name))


def test_enumerations_come_back_as_themselves() -> None:
    back = profile_from_json(profile_json(CARRIER))
    assert isinstance(back, CarrierProfile)
    assert back.answers.on_unknown is OnUnknown.RESEND
    assert back.mm7.layout is Layout.FLAT
    assert back.mm7.prefix is Prefix.PREFIXED
    assert {type(each) for each in back.reach.sender_types} == {SenderType}


def test_equal_profiles_are_kept_as_equal_texts() -> None:
    """A gateway opens a lane anew when the text has changed."""
    limits = replace(LIMITS, types=frozenset({"text/plain", "image/jpeg"}))
    reach = replace(REACH, operators=frozenset({"31062", "31002"}))
    answers = replace(ANSWERS, codes=dict(reversed(list(ANSWERS.codes.items()))))
    assert profile_json(replace(CARRIER, limits=limits, reach=reach, answers=answers)) == profile_json(CARRIER)


def test_what_is_not_kept_has_its_default() -> None:
    kept = LEAST | {"mm7": {"vaspid": "v"}}
    expected = CarrierProfile(name="att", endpoints=("https://mmsc.example/",), mm7=Dialect(vaspid="v"))
    assert profile_from(kept) == expected


def test_one_smsc_may_stand_without_brackets_as_before() -> None:
    for kept in ("acme-sms", ["acme-sms"]):
        profile = profile_from(LEAST | {"reach": {"sms": kept}})
        assert isinstance(profile, CarrierProfile)
        assert profile.reach.sms == ("acme-sms",)


def test_a_profile_without_a_kind_is_mm7() -> None:
    assert isinstance(profile_from(LEAST), CarrierProfile)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"limitz": 1}, "limitz is no setting; did you mean limits?"),
        ({"clock": 1}, "clock is no setting"),
        ({"host": "smsc.example"}, "host is no setting"),
        ({"kind": "smpp", "host": "h", "port": 1}, "endpoints is no setting"),
        ({"kind": "pigeon"}, "kind is mm7 or smpp, not 'pigeon'"),
        ({"pace": {"burts": 1}}, "pace.burts is no setting; did you mean pace.burst?"),
        ({"pace": {"burst": "many"}}, "pace.burst: Expected int, got str"),
        ({"pace": 3}, "pace: Expected object, got int"),
        ({"mm7": {"vaspID": "v"}}, "mm7.vaspID is no setting; did you mean mm7.vaspid?"),
        ({"mm7": {"omissions": ["Colour"]}}, "mm7.omissions: SubmitReq has no such element: Colour"),
        ({"mm7": {"constants": {"Colour": "red"}}}, "mm7.constants: SubmitReq has no such element: Colour"),
        ({"mm7": {"constants": {"ServiceCode": 7}}}, "mm7.constants.ServiceCode: Expected str, got int"),
        ({"mm7": {"layout": "round"}}, "mm7.layout: Invalid enum value 'round'"),
        ({"answers": {"on_unknown": "shrug"}}, "answers.on_unknown: Invalid enum value 'shrug'"),
        ({"reach": {"sender_types": ["pigeon"]}}, "Invalid enum value 'pigeon'"),
        ({"answers": {"codes": {"many": "recipient"}}}, "answers.codes: a key: Expected int, got str"),
        ({"reach": {"sms": ["a", "b", "a"]}}, "reach.sms names a twice"),
        ({"reach": {"sms": 7}}, "reach.sms: Expected array, got int"),
        ({"endpoints": []}, "endpoints needs one URL at least"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is what is tested
        profile_from_json(json.dumps(LEAST | change))
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("kept", "problem"),
    [
        ({}, "name is missing"),
        ({"name": "att"}, "endpoints is missing"),
        ({"kind": "smpp", "name": "att", "port": 1}, "host is missing"),
    ],
)
def test_what_has_no_default_must_be_there(kept: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        profile_from(kept)


@pytest.mark.parametrize("whole", WHOLE, ids=lambda each: type(each).__name__)
def test_no_credential_shows_in_a_repr(whole: Any) -> None:
    assert "secret" not in repr(whole)
    assert "vaspid" not in repr(whole)


def test_a_kept_text_is_a_carrier_s_or_none() -> None:
    assert carrier_of(profile_json(CARRIER)) == CARRIER
    assert [carrier_of(text) for text in ("", profile_json(SMSC), '{"kind": "mm7"}')] == [None] * 3
