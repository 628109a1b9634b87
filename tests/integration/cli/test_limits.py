"""``mmsgate limits``, asked of a running gateway."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result

from mmsgate.carriers.profile import Reach
from mmsgate.cli.main import cli
from tests.integration.api.conftest import KEY, Api


async def limits(api: Api, *words: str) -> Result:
    arguments = ["limits", "--url", api.gateway.settings.url, "--api-key", KEY, *words]
    return await asyncio.to_thread(CliRunner().invoke, cli, arguments, env={"COLUMNS": "300"})


async def test_carrier_operator_limit_and_types_are_said(api: Api) -> None:
    result = await limits(api, "--to", "+1 206 555 0100", "--operator-id", "31002")
    assert result.exit_code == 0, result.output
    head, name, limit, types = result.output.splitlines()
    assert head == "28444 (short-code) → 12065550100: operator 31002 AT&T: said by the request"
    assert name == "dead  takes it: dead serves operator 31002"
    assert limit.startswith("  at most 1,050,000 decoded on AT&T/short-code, from ")
    assert {"image/jpeg", "text/plain"} <= set(types.strip().split(", "))


async def test_as_json_it_is_what_the_gateway_answers(api: Api) -> None:
    result = await limits(api, "--to", "12065550100", "--json")
    answered = await api.get("/limits?to=12065550100&from=28444", X_Api_Key=KEY)
    assert json.loads(result.output) == json.loads(answered.body)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--to", "123"), "it would be refused with E110"),
        (("--to", "12065550100", "--from", "99999"), "it would be refused with E111"),
        (("--to", "12065550100", "--operator-id", "31003"), "E628: Mobile operator / carrier not supported."),
    ],
)
async def test_a_refusal_ends_it_with_its_code_and_reason(api: Api, words: tuple[str, ...], complaint: str) -> None:
    await api.carrier(reach=Reach(operators=frozenset({"31002"})))
    result = await limits(api, *words)
    assert result.exit_code != 0
    assert complaint in str(result.exception)
