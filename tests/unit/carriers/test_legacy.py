"""Profiles as release 0.1.0 kept them, typed off its database, still load."""

import json

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import profile_from_json, profile_json
from mmsgate.carriers.smsc import SmscProfile
from mmsgate.domain.number import SenderType
from mmsgate.mm7.dialect import Encoding
from mmsgate.mm7.envelope import Prefix

OF_0_1_0 = """{"kind": "mm7", "name": "acme", "url": "https://mmsc.acme.example/mm7", "username": "u",
"password": "p", "report_user": "r", "report_password": "rp", "dialect": {"vaspid": "v", "vasid": "28444mms",
"namespace": "urn:mm7", "mm7_version": "5.3.0", "prefix": "bare", "soap_action": null, "omissions": ["ReadReply"],
"constants": [["ServiceCode", "gold"]], "layout": "nested", "inner": "related", "encoding": "base64",
"smil_refs": "location", "vcard_mime": "text/x-vCard", "allow_adaptations": false, "delivery_report": true,
"id_domain": "mmsgate"}, "connections": 8, "timeout": 12.5, "keepalive": 15.0, "limit": 614400,
"types": ["image/jpeg"], "operators": ["31002"], "sender_types": ["long-code"], "on_unknown": "resend",
"unknown_wait": 60000, "report_wait": 120000, "indeterminate_is_final": true, "rejected_falls_back": true,
"empty_answer_accepts": true, "codes": {"4004": "content"}, "sms": "acme-sms"}"""


def old() -> CarrierProfile:
    profile = profile_from_json(OF_0_1_0)
    assert isinstance(profile, CarrierProfile)
    return profile


def test_every_setting_of_0_1_0_is_where_it_belongs_now() -> None:
    found = old()
    assert found.endpoints == ("https://mmsc.acme.example/mm7",)
    assert (found.auth.username, found.auth.password) == ("u", "p")
    assert (found.reports.user, found.reports.password, found.reports.wait) == ("r", "rp", 120_000)
    assert (found.reports.indeterminate_is_final, found.reports.rejected_falls_back) == (True, True)
    assert (found.pace.connections, found.pace.timeout, found.pace.keepalive) == (8, 12_500, 15_000)
    assert (found.limits.bytes, found.limits.types) == (614_400, frozenset({"image/jpeg"}))
    assert (found.reach.operators, found.reach.sms) == (frozenset({"31002"}), ("acme-sms",))
    assert found.reach.sender_types == {SenderType.LONG_CODE}
    assert (found.answers.on_unknown, found.answers.unknown_wait) == ("resend", 60_000)
    assert (found.answers.empty_accepts, found.answers.codes) == (True, {4004: "content"})


def test_its_dialect_too_and_no_soap_action_is_an_omission_now() -> None:
    dialect = old().mm7
    assert (dialect.vaspid, dialect.vasid, dialect.namespace, dialect.mm7_version) == (
        "v", "28444mms", "urn:mm7", "5.3.0",
    )  # fmt: skip
    assert (dialect.prefix, dialect.encoding) == (Prefix.BARE, Encoding.BASE64)
    assert dialect.omissions == {"ReadReply", "SOAPAction"}
    assert dialect.constants == (("ServiceCode", "gold"),)


def test_limits_by_sender_of_the_releases_between() -> None:
    kept = json.loads(OF_0_1_0) | {"limits": {"toll-free": 1000}, "measure": "wire", "h263": True}
    found = profile_from_json(json.dumps(kept))
    assert isinstance(found, CarrierProfile)
    assert found.limits.by_sender == {SenderType.TOLL_FREE: 1000}
    assert (found.limits.measure, found.limits.h263) == ("wire", True)


def test_once_kept_again_it_is_of_this_release() -> None:
    text = profile_json(old())
    assert "url" not in json.loads(text)
    assert profile_from_json(text) == old()


def test_an_smsc_of_0_1_0() -> None:
    kept = (
        '{"kind": "smpp", "name": "s", "host": "h", "port": 2775, "system_id": "u", "password": "p", "window": 32,'
        ' "unknown_wait": 60000, "report_wait": 120000}'
    )
    found = profile_from_json(kept)
    assert isinstance(found, SmscProfile)
    assert (found.host, found.port, found.system_id) == ("h", 2775, "u")
    assert (found.pace.window, found.answers.unknown_wait, found.receipts.wait) == (32, 60_000, 120_000)
    assert profile_from_json(profile_json(found)) == found
