"""``mmsgate account set``: a value in the type of its field, or a reason that names the field."""

import pytest

from mmsgate.cli.settings import KINDS, TYPES
from mmsgate.domain.account import Compat
from mmsgate.domain.request import Action, WireDialect
from tests.integration.cli.conftest import Shell


def test_the_type_of_every_setting_is_known() -> None:
    assert set(TYPES.values()) <= set(KINDS)
    assert {"rates.quota", "postback.url", "ip_allow", "campaigns"} <= set(TYPES)
    assert not {"id", "name", "senders"} & set(TYPES)


def test_values_of_every_type(shell: Shell) -> None:
    shell.succeeds(
        "account", "set", "acme", "rates.quota=10000", "active=false", "fallback_text=Look: ☀", "operator=31002",
        "switches.compat=strict", "switches.any_2xx=true", "postback.dialect=skycore", "postback.schedule=sinch",
        "postback.url=https://example.com/postbacks?a=b", "page_base=http://pics.example.com",
        'ip_allow=["10.0.0.0/8", "2001:db8::/32"]', 'actions=["sendMMS"]', 'campaigns={"c": ["12065550100"]}',
        'default_senders={"CA": "55555"}',
        'postback.secrets=["whsec_AAAA", "AAAA"]', "switches.fallback_dlr_code=N202",
    )  # fmt: skip
    account = shell.account
    assert (account.rates.quota, account.active, account.fallback_text) == (10000, False, "Look: ☀")
    assert account.operator == "31002"
    assert (account.switches.compat, account.switches.any_2xx) == (Compat.STRICT, True)
    assert (account.postback.dialect, account.postback.schedule) == (WireDialect.SKYCORE, "sinch")
    assert account.postback.url == "https://example.com/postbacks?a=b"
    assert account.ip_allow == ("10.0.0.0/8", "2001:db8::/32")
    assert account.actions == {Action.SEND_MMS}
    assert account.campaigns == {"c": frozenset({"12065550100"})}
    assert account.default_senders == {"CA": "55555"}
    assert account.postback.secrets == ("whsec_AAAA", "AAAA")


def test_null_gives_a_switch_its_default_back(shell: Shell) -> None:
    shell.succeeds("account", "set", "acme", "switches.any_2xx=true", "postback.dialect=kebab")
    shell.succeeds("account", "set", "acme", "switches.any_2xx=null", "postback.dialect=null")
    assert (shell.account.switches.any_2xx, shell.account.postback.dialect) == (None, None)


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("rates.quota=10k", "rates.quota must be a whole number from 0"),
        ("rates.quota=-1", "rates.quota must be a whole number from 0"),
        ("rates.gap=true", "rates.gap must be a whole number from 0"),
        ("rates.gap=0.5", "rates.gap must be a whole number from 0"),
        ("source_limits.image=10MB", "source_limits.image must be a whole number from 0"),
        ("active=nein", "active must be true or false"),
        ("active=1", "active must be true or false"),
        ("switches.any_2xx=yes", "switches.any_2xx must be true, false or null"),
        ("switches.compat=lax", "switches.compat must be better or strict"),
        ("switches.fallback_dlr_code=N999", "switches.fallback_dlr_code: it must be N102, N202 or empty"),
        ("ip_allow=10.0.0.0/8", "ip_allow must be a list of texts"),
        ('ip_allow=["10.0.0.0/99"]', "ip_allow: '10.0.0.0/99'"),
        ("ip_allow=[10]", "ip_allow must be a list of texts"),
        ('actions=["sendPigeon"]', "actions must be a list of actions out of sendMMS"),
        (
            'default_senders={"UK": "28444"}',
            "default_senders: 'UK' is no country: it is two letters (ISO 3166), like US",
        ),
        ('default_senders={"CA": "+55555"}', "default_senders: the number for CA has digits only"),
        ('default_senders={"CA": 55555}', "default_senders must be texts by name"),
        ('campaigns={"c": "12065550100"}', "campaigns must be lists of texts by name"),
        ('campaigns={"c": [12065550100]}', "campaigns must be lists of texts by name"),
        ("postback.dialect=yaml", "postback.dialect must be kebab, skycore, json or null"),
        ("postback.dialect=[]", "postback.dialect must be kebab, skycore, json or null"),
        ("postback.schedule=often", "postback.schedule: there is no such schedule; schedules: default, sinch"),
        ("postback.url=example.com/postbacks", "postback.url: it must be an http or https URL"),
        ("postback.url=ftp://example.com/", "postback.url: it must be an http or https URL"),
        ("postback.url=https://example.com:99999/", "postback.url: "),
        ("postback.url=https://", "postback.url: it must be an http or https URL"),
        ("page_base=pics.example.com", "page_base: it must be an http or https URL"),
        ('postback.secrets=["hunter2!"]', "postback.secrets: a postback secret must be base64"),
        ('postback.secrets=["schlüssel"]', "postback.secrets: a postback secret must be base64"),
        ('postback.secrets=["whsec_"]', "postback.secrets: a postback secret must be base64"),
        ("postback.secrets=AAAA", "postback.secrets must be a list of texts"),
        ("rates.quotas=1", "there is no setting 'rates.quotas'; settings: active,"),
        ("name=other", "there is no setting 'name'"),
        ("active", "there is no setting 'active'"),
    ],
)
def test_a_value_that_would_break_requests_or_postbacks_is_refused(
    shell: Shell, assignment: str, reason: str
) -> None:
    before = shell.account
    said = shell.fails("account", "set", "acme", "rates.throughput=5", assignment)
    assert reason in said
    assert "hunter2" not in said
    assert shell.account == before
