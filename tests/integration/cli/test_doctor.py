"""``mmsgate doctor`` asks the gateway that runs, wherever it listens."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mmsgate.cli.doctor import _public_url
from mmsgate.config import Settings
from tests.integration.cli.conftest import Shell
from tests.s3.server import S3Server


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    """The address of something that answers like a gateway."""
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_asks_the_gateway_at_the_address_that_it_wrote_down(shell: Shell, gateway: str) -> None:
    shell.settings.url_file.write_text(gateway + "\n")
    said = shell.succeeds("doctor")
    assert f"gateway: answers HTTP 200 at {gateway}" in said
    assert f"public URL: {gateway}" in said


def test_a_gateway_that_does_not_answer_is_named(shell: Shell, gateway: str) -> None:
    shell.settings.url_file.write_text(f"{gateway}/elsewhere\n")
    assert f"gateway: answers HTTP 404 at {gateway}/elsewhere" in shell.fails("doctor")
    shell.settings.url_file.write_text("http://127.0.0.1:9\n")
    assert "gateway: does not answer at http://127.0.0.1:9 (" in shell.fails("doctor")


def test_it_tries_ffmpeg(shell: Shell, gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.settings.url_file.write_text(gateway + "\n")
    assert "ffmpeg: the one that comes with mmsgate" in shell.succeeds("doctor")
    monkeypatch.setenv("MMSGATE_FFMPEG", shutil.which("false") or "")
    assert "false is no ffmpeg that runs here" in shell.fails("doctor")


def test_it_says_where_blobs_are_and_whether_that_answers(
    shell: Shell, gateway: str, monkeypatch: pytest.MonkeyPatch, s3_server: S3Server
) -> None:
    shell.settings.url_file.write_text(gateway + "\n")
    assert f"blobs: files in {shell.settings.blobs}" in shell.succeeds("doctor")
    bucket = s3_server.bucket()
    for name, value in {
        "BLOBS_URL": f"s3://{bucket}/mms", "S3_ENDPOINT": s3_server.url, "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": "id", "S3_SECRET_KEY": "s3cret",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"MMSGATE_{name}", value)
    assert f"blobs: S3: bucket {bucket} at {s3_server.url}, under mms/" in shell.succeeds("doctor")
    monkeypatch.setenv("MMSGATE_BLOBS_URL", "s3://no-such-bucket")
    said = shell.fails("doctor")
    assert "there is no bucket no-such-bucket; create it, or correct blobs_url" in said
    assert "s3cret" not in said
    monkeypatch.setenv("MMSGATE_S3_SECRET_KEY", "")
    assert "s3_access_key and s3_secret_key go together" in shell.fails("doctor")


@pytest.mark.parametrize(
    ("url", "open_to_phones"),
    [
        ("http://0.0.0.0:8080", False),
        ("http://192.168.1.7:8080", False),
        ("http://[::]:8080", False),
        ("http://127.0.0.1:8080", True),
        ("https://mms.example.com", True),
        ("http://8.8.8.8:8080", True),
    ],
)
def test_an_address_that_phones_cannot_open_is_told(url: str, open_to_phones: bool) -> None:
    name, fine, text = _public_url(Settings(), url)
    assert (name, fine, "set public_url" not in text) == ("public URL", open_to_phones, open_to_phones)
    assert _public_url(Settings(public_url=url), url)[1]


def test_a_profile_that_can_t_be_used_is_named_and_the_rest_is_looked_at(shell: Shell, gateway: str) -> None:
    shell.settings.url_file.write_text(gateway + "\n")
    shell.store(lambda store: store.accounts.put_carrier("acme", '{"name": "acme", "endpoints": []}'))
    said = shell.fails("doctor")
    assert "carrier acme: its profile can't be used: endpoints needs one URL at least" in said
    assert "messages: none yet" in said
