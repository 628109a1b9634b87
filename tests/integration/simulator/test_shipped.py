"""Each shipped profile against whom it is written for: the gateway's own client at the simulator's door."""

from pathlib import Path

import pytest

from mmsgate.carriers.client import Mm7Client
from mmsgate.carriers.files import read_profile, shipped
from mmsgate.carriers.outcome import Accepted, outcome_of
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import SystemClock
from mmsgate.domain.media import MediaKind
from mmsgate.domain.slide import Medium, Slide
from mmsgate.http import HttpClient
from mmsgate.mm7.content import Body, encode_content
from mmsgate.mm7.submit import SubmitReq
from mmsgate.simulator.personality import PERSONALITIES
from mmsgate.simulator.service import Simulator
from tests.integration.simulator.peer import Endpoint

PICTURE = b"\xff\xd8\xff\xe0 a picture"
TO = "12065550199"


def profile_for(simulator: Simulator, name: str) -> CarrierProfile:
    """The shipped profile, with the simulator's address and credentials."""
    header = name == "header-auth"
    credentials = 'value = "mmsgate"' if header else 'username = "mmsgate"\npassword = "mmsgate"'
    profile = read_profile(
        f'base = "{name}"\nname = "carrier"\nendpoints = ["{simulator.mmsc_url}/{name}"]\n'
        f"[auth]\n{credentials if name not in ('sinch', 'no-auth') else ''}\n"
        f'[mm7]\nvaspid = "mmsgate"\nvasid = "{{sender}}mms"\n',
        folder=Path("/nowhere"),
        environment={},
    )
    assert isinstance(profile, CarrierProfile)
    return profile


def test_there_is_a_shipped_profile_for_every_personality_and_no_other() -> None:
    assert set(shipped()) == set(PERSONALITIES)


@pytest.mark.parametrize("name", PERSONALITIES)
async def test_its_message_is_accepted_shown_and_reported(
    simulator: Simulator, endpoint: Endpoint, name: str
) -> None:
    clock, http = SystemClock(), HttpClient()
    await http.start()
    profile = profile_for(simulator, name)
    client = Mm7Client(profile, http, clock)
    picture = Medium(kind=MediaKind.IMAGE, mime="image/jpeg", blob="b", size=len(PICTURE))
    content = encode_content(
        [Slide(duration=5, text="Hi", media=(picture,))],
        {"b": Body.of(PICTURE, profile.mm7.encoding)},
        dialect=profile.mm7, content_id="7", token=lambda: "0123456789abcdef",
    )  # fmt: skip
    request = SubmitReq(
        transaction_id="t1", sender="28444", recipient=TO, subject="R&B", timestamp=clock.now(), expiry=clock.now()
    )
    exchange = await client.exchange(request, content, operator="31003")
    outcome = outcome_of(exchange.posted, profile)
    await client.close()
    await http.stop()
    (message,) = simulator.box.after(to=TO)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.message_id == ("" if name == "empty-200" else message.message_id)
    assert (message.text, message.subject, message.attachments) == ("Hi", "R&B", ())
    assert [part.body for part in message.parts[1:]] == [PICTURE, b"Hi"]
    report = await endpoint.reports.get()
    assert report.message_id == message.message_id
    phone, _ = report.parties(swapped=profile.reports.swapped)
    assert phone is not None
    assert phone.value == TO
