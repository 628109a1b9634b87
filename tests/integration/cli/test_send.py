"""``mmsgate send`` against a running gateway: a new message, a saved one, and what it refuses to mix."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsgate.cli.main import cli
from mmsgate.cli.send import Draft, build
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Message
from mmsgate.wire.document import read_document
from tests.integration.api.conftest import KEY, Api
from tests.integration.api.test_templates import saved, texts_of


def invoke(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(cli, ["send", *words])


async def run(api: Api, *words: str) -> Result:
    """The command's result, run beside the gateway."""
    return await asyncio.to_thread(invoke, *words, "--url", api.gateway.settings.url, "--api-key", KEY)


async def newest(api: Api) -> Message:
    message = await api.gateway.store.messages.latest()
    assert message is not None
    return message


async def test_a_saved_message_is_sent_to_one_number_with_its_own_fallback_text(api: Api) -> None:
    mms_id = await saved(api, fallback_sms_text="The saved text:")
    result = await run(api, "--mms-id", mms_id, "--to", "12065550177", "--operator-id", "31002", "--wait", "0")
    assert result.exit_code == 0, result.output
    message = await newest(api)
    assert f"accepted: tracking-id {message.tracking_id}, mms-id {mms_id}" in result.output
    assert (message.recipient, message.operator, message.fallback.text) == (
        "12065550177",
        "31002",
        "The saved text:",
    )
    assert await texts_of(api, message) == ["Hello friend", "Second"]


async def test_a_saved_message_that_does_not_exist_is_refused_with_its_code(api: Api) -> None:
    result = await run(api, "--mms-id", "5", "--to", "12065550177")
    assert result.exit_code == 1
    assert str(result.exception).startswith("refused with E241: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --to NUMBER, or --to-file CSV with --mms-id"),
        (("--to", "12065550100", "--to-file", "x.csv", "--mms-id", "5"), "give --to NUMBER, or --to-file CSV"),
        (("--to-file", "x.csv"), "--to-file needs --mms-id ID"),
        (
            ("--to", "12065550100", "--mms-id", "5", "--text", "Hi", "--image", "a.jpg", "--duration", "3"),
            "--text, --image, --duration can't be used with --mms-id: the saved MMS has its own",
        ),
        (("--mms-id", "5", "--to-file", "x.csv", "--subject", "S"), "--subject can't be used with --mms-id"),
        (("--mms-id", "5", "--to-file", "x.csv", "--wait", "3"), "--wait can't be used with --to-file"),
    ],
)
def test_options_that_cannot_count_are_named_and_refused(words: tuple[str, ...], said: str) -> None:
    result = invoke(*words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_list_that_is_missing_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    result = invoke("--mms-id", "5", "--to-file", str(path))
    assert str(result.exception) == f"{path} can't be read: No such file or directory"


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ([MediaKind.IMAGE, MediaKind.IMAGE], "You have a picture message:"),
        ([MediaKind.VIDEO], "You have a message:"),
        ([MediaKind.IMAGE, MediaKind.AUDIO], "You have a message:"),
        ([], "You have a message:"),
    ],
)
def test_the_fallback_text_speaks_of_a_picture_only_if_all_files_are_pictures(
    kinds: list[MediaKind], text: str
) -> None:
    draft = Draft(
        to="12065550100", sender="28444", service_id="32113", subject="", text="", fallback_text=None,
        operator_id="", duration=None,
    )  # fmt: skip
    root = read_document(build(draft, "k", [(kind, "http://x/file") for kind in kinds]))
    assert root.findtext("fallback-sms-text") == text
