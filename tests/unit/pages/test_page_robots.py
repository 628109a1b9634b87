"""Known robots are told from people (R-37)."""

import pytest

from mmsgate.pages.robots import ROBOTS, is_robot

ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"

#: What the preview of iMessage says of itself.
IMESSAGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)


@pytest.mark.parametrize(
    "name",
    [
        "WhatsApp/2.24.1 A",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Twitterbot/1.0",
        f"{ANDROID} Chrome/125.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        IMESSAGE,
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "curl/8.5.0",
        "",
        "  ",
    ],
)
def test_robots(name: str) -> None:
    assert is_robot(name)


@pytest.mark.parametrize(
    "name",
    [
        f"{IPHONE} Version/18.0 Mobile/15E148 Safari/604.1",
        f"{ANDROID} Chrome/125.0.0.0 Mobile Safari/537.36",
        f"{ANDROID} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0",
        # browsers inside apps: somebody looks at them
        f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/450.0;FBBV/1;FBDV/iPhone15,2]",
        f"{IPHONE} Mobile/15E148 Instagram 320.0",
        f"{IPHONE} Mobile/15E148 Safari Line/14.1.0",
        f"{IPHONE} Mobile/15E148 [Pinterest/iOS]",
        f"{IPHONE} Mobile/15E148 Snapchat/12.80",
    ],
)
def test_people(name: str) -> None:
    assert not is_robot(name)


def test_the_list_is_in_lower_case_and_holds_nothing_twice() -> None:
    assert all(robot == robot.lower().strip() and robot for robot in ROBOTS)
    assert len(set(ROBOTS)) == len(ROBOTS)
