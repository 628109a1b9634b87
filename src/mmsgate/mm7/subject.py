"""How a subject is written where a carrier can't take every character (R-18)."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from anyascii import anyascii

from mmsgate.domain.gsm import is_gsm

_BLANKS = re.compile(r"\s+")


class SubjectPolicy(StrEnum):
    """What becomes of characters that are not in the GSM alphabet."""

    UTF8 = "utf8"  # they stay
    TRANSLITERATE = "transliterate"  # they become what comes near them: Привет, Privet; 🎉, :tada:
    STRIP = "strip"  # they are left out


@lru_cache(maxsize=256)
def write_subject(subject: str, policy: SubjectPolicy) -> str:
    """The subject as the policy has it. Remembered: a campaign has one for all."""
    if policy is SubjectPolicy.UTF8 or is_gsm(subject):
        return subject
    spell = anyascii if policy is SubjectPolicy.TRANSLITERATE else lambda _: ""
    composed = unicodedata.normalize("NFC", subject)
    spelt = "".join(char if is_gsm(char) else spell(char) for char in composed)
    return _BLANKS.sub(" ", spelt).strip()
