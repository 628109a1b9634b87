"""The profile of an SMSC: what it says to the connection, and what is refused by name."""

from dataclasses import replace

import pytest

from mmsgate.carriers.record import profile_from
from mmsgate.carriers.smsc import NetworkNumber, Numbers, NumberType, SmscProfile, SmscTls
from mmsgate.clock import MINUTE
from mmsgate.domain.gsm import Alphabet
from mmsgate.domain.number import SenderType
from mmsgate.sms.settings import SmscSettings

LEAST: dict[str, object] = {"kind": "smpp", "name": "att-sms", "host": "smsc.example", "port": 2775}


def test_the_connection_is_told_all_that_the_profile_says_of_it() -> None:
    profile = profile_from(
        LEAST
        | {"system_id": "gw", "password": "s", "system_type": "vasp"}
        | {"text": {"alphabet": "latin1", "data_coding": 0}}
        | {"pace": {"window": 8, "rate": 25.0, "burst": 5, "timeout": 5_000, "enquire": 15_000, "connect": 20_000}}
    )
    assert isinstance(profile, SmscProfile)
    assert profile.settings() == SmscSettings(
        name="att-sms", host="smsc.example", port=2775, system_id="gw", password="s", system_type="vasp",
        window=8, rate=25.0, burst=5, request_timeout=5.0, enquire_link_interval=15.0,
        socket_timeout=20.0, reconnect_longest=MINUTE, alphabet=Alphabet.LATIN1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"text": {"alphabet": "klingon"}}, "text.alphabet: Invalid enum value 'klingon'"),
        ({"text": {"long": "pages"}}, "text.long: Invalid enum value 'pages'"),
        ({"text": {"data_coding": 300}}, "text.data_coding is one octet, or -1, not 300"),
        ({"text": {"most_parts": 256}}, "text.most_parts is 1 to 255, not 256"),
        ({"text": {"alphabeth": "gsm7"}}, "text.alphabeth is no setting; did you mean text.alphabet?"),
        (
            {"answers": {"on_unknown": "fallback"}},
            "answers.on_unknown is fail or resend for an SMSC, there is no fallback of a fallback",
        ),
        ({"numbers": {"short_code": {"tone": 3}}}, "numbers.short_code.tone is no setting"),
        ({"numbers": {"short_code": {"ton": 3, "npi": 256}}}, "numbers.short_code.npi is 256, it must be 0 to 255"),
        ({"pace": {"window": 0}}, "pace.window is 0, it must be 1 or more"),
        ({"pace": {"rate": -1.0}}, "pace.rate is -1, it must be 0 or more"),
        ({"password": "123456789"}, "password must be ASCII, 8 characters at most"),
        ({"system_type": "x" * 13}, "system_type must be ASCII, 12 characters at most"),
        ({"port": 70_000}, "port is 70000, it must be 1 to 65535"),
        ({"tls": {"key": "k.pem"}}, "tls.certificate is missing: there is a key"),
        ({"answers": {"unknown_wait": -1}}, "answers.unknown_wait is -1"),
        ({"receipts": {"wait": 0}}, "receipts.wait is 0"),
        ({"service_type": "x" * 6}, "service_type must be ASCII, 5 characters at most"),
    ],
)
def test_what_an_smsc_cannot_mean_is_refused_by_name(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is what is tested
        profile_from(LEAST | change)
    assert problem in str(raised.value)


def test_each_kind_of_sender_has_a_type_of_its_own() -> None:
    numbers = Numbers(
        short_code=NetworkNumber(ton=6, npi=0),
        long_code=NumberType(ton=2, npi=1),
        toll_free=NumberType(ton=1, npi=8),
    )
    assert [numbers.sender(kind) for kind in SenderType] == [
        numbers.short_code, numbers.long_code, numbers.toll_free,
    ]  # fmt: skip


def test_by_default_short_codes_belong_to_the_network_and_names_are_alphanumeric() -> None:
    usual = Numbers()
    assert [(each.ton, each.npi) for each in (usual.short_code, usual.alphanumeric)] == [(3, 0), (5, 0)]
    assert {usual.long_code, usual.toll_free, usual.recipient} == {NumberType(ton=1, npi=1)}


def test_half_a_number_type_keeps_the_other_half() -> None:
    profile = profile_from(LEAST | {"numbers": {"short_code": {"npi": 1}, "recipient": {"ton": 2}}})
    assert isinstance(profile, SmscProfile)
    assert profile.numbers.short_code == NetworkNumber(ton=3, npi=1)
    assert profile.numbers.recipient == NumberType(ton=2, npi=1)


def test_tls_is_made_only_where_it_is_enabled() -> None:
    profile = profile_from(LEAST)
    assert isinstance(profile, SmscProfile)
    assert profile.settings().tls is None
    secure = replace(profile, tls=SmscTls(enabled=True)).settings().tls
    assert secure is not None
    assert secure().check_hostname
