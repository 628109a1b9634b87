"""The words of R-22: the whole message, in any case, with or without punctuation, and nothing else."""

import pytest

from mmsgate.domain.optout import Intent, OptOutSettings, intent_of

STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPT OUT", "OPTOUT")
HELP = ("HELP", "INFO")
START = ("START", "UNSTOP")


@pytest.mark.parametrize(
    ("word", "intent"),
    [
        *((word, Intent.OPT_OUT) for word in STOP),
        *((word, Intent.HELP) for word in HELP),
        *((word, Intent.OPT_IN) for word in START),
    ],
)
@pytest.mark.parametrize(
    "written", ["{}", " {}\r\n", "{}!", "{}.", '"{}"', "¡{}!", "{} …", "\ufeff{}", "{}\u200b", "*{}*", "{} 🛑"]
)
def test_each_word_however_it_is_written(word: str, intent: Intent, written: str) -> None:
    for spelling in (word, word.lower(), word.title(), word.swapcase()):
        assert intent_of(written.format(spelling)) is intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("opt-out", Intent.OPT_OUT), ("Opt - Out.", Intent.OPT_OUT), ("opt\u00a0out", Intent.OPT_OUT),
        ("opt   out", Intent.OPT_OUT), ("ＳＴＯＰ", Intent.OPT_OUT), ("S.T.O.P.", Intent.OPT_OUT),
        ("un-stop", Intent.OPT_IN), ("info?", Intent.HELP),
    ],
)  # fmt: skip
def test_other_spellings(text: str, intent: Intent) -> None:
    assert intent_of(text) is intent


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "!", "please stop", "stop it", "don't stop", "stop\nSent from my phone", "STOP ALL", "stopp",
        "st op", "ends", "the end", "help me", "information", "restart", "start now", "nonstop", "stop 2", "0",
        "✋",
    ],
)  # fmt: skip
def test_a_word_inside_another_text_asks_for_nothing(text: str) -> None:
    assert intent_of(text) is None


def test_the_answer_names_the_number_and_an_empty_text_is_none() -> None:
    settings = OptOutSettings(stop_text="Bye from {number} {name}", help_text="")
    assert settings.answer(Intent.OPT_OUT, "28444") == "Bye from 28444 {name}"
    assert settings.answer(Intent.HELP, "28444") == ""


@pytest.mark.parametrize("intent", Intent)
def test_the_texts_that_come_along_fit_one_sms(intent: Intent) -> None:
    text = OptOutSettings().answer(intent, "18885551234")
    assert text.isascii()
    assert len(text) <= 160
