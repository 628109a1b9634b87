"""Signatures as Standard Webhooks defines them (R-10): its own example, and secrets of every shape."""

import base64
import hashlib

import pytest

from mmsgate.postbacks.signature import PREFIX, new_secret, sign

# The test vector of the Standard Webhooks reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTIFIER = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def signed(*secrets: str, identifier: str = IDENTIFIER, timestamp: int = TIMESTAMP, body: bytes = BODY) -> str:
    return sign(secrets, identifier=identifier, timestamp=timestamp, body=body)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, written out: a second opinion."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def test_the_standards_own_example() -> None:
    assert signed(SECRET) == SIGNATURE


def test_the_prefix_of_a_secret_may_be_missing() -> None:
    assert signed(SECRET.removeprefix(PREFIX)) == SIGNATURE


@pytest.mark.parametrize("key", [b"k", b"k" * 24, b"k" * 64, b"k" * 65, bytes(range(256))])
@pytest.mark.parametrize("body", [b"", b"\x00\xff\r\n", "<postback>é</postback>".encode()])
def test_keys_and_bodies_of_every_shape_are_signed_as_rfc_2104_says(key: bytes, body: bytes) -> None:
    mac = hmac_sha256(key, b"msg_7_1.1767346247." + body)
    secret = PREFIX + base64.b64encode(key).decode()
    assert signed(secret, identifier="msg_7_1", timestamp=1_767_346_247, body=body) == (
        "v1," + base64.b64encode(mac).decode()
    )


def test_while_a_secret_is_rotated_both_sign_the_newer_first() -> None:
    newer = new_secret()
    assert signed(newer, SECRET) == f"{signed(newer)} {SIGNATURE}"


def test_without_a_secret_there_is_no_signature() -> None:
    assert signed() == ""


@pytest.mark.parametrize(
    "changed",
    [
        signed(SECRET, identifier=IDENTIFIER + "x"),
        signed(SECRET, timestamp=TIMESTAMP + 1),
        signed(SECRET, body=BODY + b"\n"),
        signed(new_secret()),
    ],
    ids=["identifier", "timestamp", "body", "secret"],
)
def test_everything_that_is_signed_changes_the_signature(changed: str) -> None:
    assert changed != SIGNATURE


@pytest.mark.parametrize("secret", ["whsec_no base64", "whsec_abc", "hunter2!", "whsec_whsec_AAAA"])
def test_a_secret_that_is_no_base64_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="base64") as caught:
        signed(SECRET, secret)
    assert secret not in str(caught.value)


def test_a_new_secret_has_192_random_bits_and_the_form_of_the_standard() -> None:
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert secret.startswith(PREFIX)
        assert len(base64.b64decode(secret.removeprefix(PREFIX), validate=True)) == 24
