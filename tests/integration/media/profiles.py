"""Colour profiles for tests, built by the ICC specification (ICC.1:2010): small, and of spaces that people use."""

import struct

Triple = tuple[float, float, float]

DISPLAY_P3: tuple[Triple, Triple, Triple] = (
    (0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841),
)  # fmt: skip
ADOBE_RGB: tuple[Triple, Triple, Triple] = (
    (0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446),
)  # fmt: skip
_WHITE: Triple = (0.9642, 1.0, 0.8249)  # D50
_GAMMA = 2.2


def rgb_profile(name: str, primaries: tuple[Triple, Triple, Triple]) -> bytes:
    """A profile of three primaries (XYZ, adapted to D50) and a gamma of 2.2."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(_GAMMA * 256))
    tags = {b"desc": _description(name), b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(_WHITE)}
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(primary)
        tags[bytes([letter]) + b"TRC"] = curve
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def print_profile(cyan: Triple) -> bytes:
    """A printer's profile, whose cyan has that colour (CIE L*a*b*); other inks only darken."""
    grid = b"".join(
        _lab8((95.0, 0.0, 0.0) if not inks else (cyan if inks == 8 else (30.0, 0.0, 0.0))) for inks in range(16)
    )
    straight = bytes(range(256))
    unit = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit + straight * 4 + grid + straight * 3
    tags = {
        b"desc": _description("A press"),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(_WHITE),
        b"A2B0": lut,
    }
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def as_srgb(colour: tuple[int, int, int], primaries: tuple[Triple, Triple, Triple]) -> tuple[int, ...]:
    """What a colour of that space is in sRGB, by the formulas."""
    linear = [(value / 255) ** _GAMMA for value in colour]
    xyz = [sum(linear[ink] * primaries[ink][axis] for ink in range(3)) for axis in range(3)]
    inverse = (  # of the primaries of sRGB, adapted to D50
        (3.1339, -1.6169, -0.4906), (-0.9788, 1.9161, 0.0335), (0.0719, -0.2290, 1.4052),
    )  # fmt: skip
    light = [min(1.0, max(0.0, sum(row[axis] * xyz[axis] for axis in range(3)))) for row in inverse]
    return tuple(round(255 * (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055)) for v in light)


def _lab8(lab: Triple) -> bytes:
    return bytes([round(lab[0] * 2.55), round(lab[1]) + 128, round(lab[2]) + 128])


def _xyz(value: Triple) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(part * 65536) for part in value))


def _description(name: str) -> bytes:
    text = name.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(12 + 67)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, kind, space, connection)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += struct.pack(">3i", *(round(part * 65536) for part in _WHITE))
    return header.ljust(128, b"\0") + table + data
