"""The check of signatures, on the example that the Standard Webhooks libraries share, and on what is not right."""

import base64
import hashlib
import hmac

import pytest

from mmsgate.clock import SECOND
from mmsgate.demo.signature import TOLERANCE, Signature, check, decode_secret
from mmsgate.postbacks.signature import sign

# The test vector of the Standard Webhooks reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTIFIER = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
GIVEN = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = TIMESTAMP * SECOND


def headers(**changes: str) -> dict[str, str]:
    signed = {
        "webhook-id": IDENTIFIER,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": GIVEN,
    }
    return signed | {f"webhook-{name}": value for name, value in changes.items()}


KEY = decode_secret(SECRET)


def test_the_standards_own_example_is_right() -> None:
    assert check(KEY, headers(), BODY, now=NOW) is Signature.OK


def test_what_the_gateway_signs_is_right() -> None:
    given = sign([SECRET], identifier=IDENTIFIER, timestamp=TIMESTAMP, body=BODY)
    assert check(KEY, headers(signature=given), BODY, now=NOW) is Signature.OK


@pytest.mark.parametrize("given", [f"v1,AAAA {GIVEN}", f"{GIVEN} v1,AAAA", f"v1a,xx {GIVEN}", f"v1,*** {GIVEN}"])
def test_one_right_signature_among_others_is_enough(given: str) -> None:
    assert check(KEY, headers(signature=given), BODY, now=NOW) is Signature.OK


@pytest.mark.parametrize("given", ["v1,AAAA", "v1,", "v1", "nonsense", GIVEN.replace("v1,", "v2,"), "v1,é", " "])
def test_anything_else_is_wrong(given: str) -> None:
    assert check(KEY, headers(signature=given), BODY, now=NOW) is Signature.WRONG


@pytest.mark.parametrize("changes", [{"id": "msg_other"}, {"timestamp": str(TIMESTAMP + 1)}])
def test_a_changed_header_is_wrong(changes: dict[str, str]) -> None:
    assert check(KEY, headers(**changes), BODY, now=NOW) is Signature.WRONG


def test_a_changed_body_or_another_secret_is_wrong() -> None:
    assert check(KEY, headers(), BODY + b"\n", now=NOW) is Signature.WRONG
    assert check(decode_secret("whsec_AAAA"), headers(), BODY, now=NOW) is Signature.WRONG


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_without_one_of_the_headers_there_is_no_signature(name: str) -> None:
    given = headers()
    del given[name]
    assert check(KEY, given, BODY, now=NOW) is Signature.MISSING


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (TOLERANCE, Signature.OK),
        (-TOLERANCE, Signature.OK),
        (TOLERANCE + 1, Signature.STALE),
        (-TOLERANCE - 1, Signature.STALE),
    ],
)
def test_a_signature_holds_for_five_minutes(away: int, expected: Signature) -> None:
    assert check(KEY, headers(), BODY, now=NOW + away) is expected


@pytest.mark.parametrize("timestamp", ["1e9", "²", "-5", "9" * 400])
def test_a_signed_time_that_is_no_number_of_seconds_is_stale(timestamp: str) -> None:
    given = _signed_by_hand(timestamp)
    assert check(KEY, headers(timestamp=timestamp, signature=given), BODY, now=NOW) is Signature.STALE


def _signed_by_hand(timestamp: str) -> str:
    mac = hmac.digest(KEY, f"{IDENTIFIER}.{timestamp}.".encode() + BODY, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def test_without_a_secret_nothing_is_checked() -> None:
    assert check(b"", headers(), BODY, now=NOW) is Signature.UNCHECKED


@pytest.mark.parametrize("secret", ["whsec_no base64", "whsec_abc", "whsec_é"])
def test_a_secret_that_is_no_base64_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="base64") as caught:
        decode_secret(secret)
    assert secret not in str(caught.value)
