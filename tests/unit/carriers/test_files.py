"""Profiles as TOML files: read with units, secrets and a base, refused by key, written so that they come back."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from mmsgate.carriers.files import MASK, changed_keys, profile_toml, read_profile, read_profile_file, shipped
from mmsgate.carriers.profile import AuthKind, CarrierProfile
from mmsgate.carriers.record import Profile, ProfileError
from mmsgate.clock import DAY, MINUTE
from mmsgate.mm7.dialect import Dialect, Layout
from tests.unit.carriers.test_profile import CARRIER, SMSC

LEAST = 'name = "acme"\nendpoints = ["https://mmsc.acme.example/mm7"]\n'


def read(text: str, folder: Path = Path("/nowhere"), **environment: str) -> CarrierProfile:
    profile = read_profile(text, folder=folder, environment=environment)
    assert isinstance(profile, CarrierProfile)
    return profile


def problems(text: str, folder: Path = Path("/nowhere")) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as raised:
        read_profile(text, folder=folder, environment={})
    return raised.value.problems


def test_what_a_file_does_not_say_has_its_default() -> None:
    assert read(LEAST) == CarrierProfile(name="acme", endpoints=("https://mmsc.acme.example/mm7",))


def test_times_are_written_with_their_unit() -> None:
    found = read(LEAST + '[pace]\ntimeout = "500 ms"\n[answers]\nunknown_wait="15 min"\n[reports]\nwait = "2 days"')
    assert (found.pace.timeout, found.answers.unknown_wait, found.reports.wait) == (500, 15 * MINUTE, 2 * DAY)


def test_tables_of_texts_and_of_codes() -> None:
    found = read(
        LEAST + '[mm7]\nvasids = { 28444 = "gold" }\n[mm7.constants]\nServiceCode = "x"\nLinkedID = "y"\n'
        '[answers.codes]\n3500 = "recipient"\n[limits.by_sender]\nshort-code = 300000'
    )
    assert found.mm7.constants == (("ServiceCode", "x"), ("LinkedID", "y"))
    assert found.mm7.vasids == (("28444", "gold"),)
    assert found.answers.codes == {3500: "recipient"}
    assert list(found.limits.by_sender.values()) == [300_000]


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    text = LEAST + (
        '[auth]\nusername = "u"\npassword = { env = "ACME" }\n'
        '[reports]\nuser = "r"\npassword = { file = "secret" }\n'
    )
    found = read(text, tmp_path, ACME="from outside")
    assert (found.auth.password, found.reports.password) == ("from outside", "s3cret")


def test_a_file_begins_with_a_shipped_profile_and_its_own_settings_count() -> None:
    found = read('base = "mbuni"\n' + LEAST + '[answers.codes]\n3500 = "recipient"\n[mm7]\nlayout = "flat"')
    assert found.reports.swapped
    assert found.answers.codes == {4004: "content", 3500: "recipient"}
    assert found.mm7.layout is Layout.FLAT


def test_all_problems_are_told_at_once_each_with_its_key() -> None:
    told = problems(
        LEAST + '[pace]\nrate = -1\ntimeout = 60\n[mm7]\nlayot = "flat"\nencoding = "morse"\n'
        '[answers]\non_unknown = "shrug"\n[reach]\nprefixes = ["+1206"]'
    )
    assert [problem.partition(":")[0].split(" ")[0] for problem in told] == [
        "pace.timeout", "mm7.layot", "mm7.encoding", "reach.prefixes", "pace.rate", "answers.on_unknown",
    ]  # fmt: skip
    assert "pace.rate is -1, it must be 0 or more" in told
    assert "mm7.layot is no setting; did you mean mm7.layout?" in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[pace]\ntimeout = "soon"', "pace.timeout: a time with its unit is expected"),
        ("[pace]\ntimeout = 60", "pace.timeout: a time with its unit is expected"),
        ('[pace]\ntimeout = "0 s"', "pace.timeout is 0, it must be 1 or more"),
        ("[pace]\nconnections = 0", "pace.connections is 0, it must be 1 or more"),
        ("[pace]\nrate = -0.5", "pace.rate is -0.5, it must be 0 or more"),
        ("[pace]\nrate = nan", "pace.rate is nan, it must be 0 or more"),
        ("[pace]\nrate = inf", "pace.rate is inf, it must be 0 or more"),
        ("[pace]\nburst = 0", "pace.burst is 0, it must be 1 or more"),
        ("[pace]\nsender_daily = -1", "pace.sender_daily is -1, it must be 0 or more"),
        ('[auth]\npassword = "p"', "auth.username is missing: there is a password"),
        ('[auth]\nusername = "a:b"', "auth.username holds a colon"),
        ('[auth]\nkind = "header"\nheader = "X"', "auth.value is missing: kind is header"),
        ('[auth]\nkind = "header"\nheader = "X Y"\nvalue = "v"', "auth.header is no name of an HTTP header"),
        ('[auth]\nkind = "header"\nheader = "X"\nvalue = "v\\nEvil: 1"', "auth.value holds a line end"),
        ('[auth]\nkind = "pigeon"', "auth.kind: Invalid enum value 'pigeon'"),
        ('[auth]\nkey = "k.pem"', "auth.certificate is missing: there is a key"),
        ('[auth]\ncertificate = "c.pem"', "auth.certificate: /nowhere/c.pem can't be read: No such file"),
        ('[auth]\nauthorities = "ca.pem"', "auth.authorities: /nowhere/ca.pem can't be read: No such file"),
        (
            '[auth]\nusername = "u"\npassword = { env = "NOT_THERE" }',
            "auth.password: there is no environment variable",
        ),
        ('[auth]\nusername = "u"\npassword = { file = "gone" }', "auth.password: /nowhere/gone can't be read"),
        ('[auth]\nusername = "u"\npassword = { enw = "X" }', "auth.password: a text is expected"),
        (f'[auth]\nusername = "u"\npassword = "{MASK}"', "auth.password: it is masked"),
        ('[reports]\npassword = "p"', "reports.user is missing: there is a password"),
        ('[reports]\nwait = "0 s"', "reports.wait is 0"),
        ('[reach]\nprefixes = ["12a"]', "reach.prefixes: '12a' is no beginning of a number"),
        ("[reach]\nsender_types = []", "reach.sender_types is empty"),
        ('[reach]\nsender_types = ["pager"]', "reach.sender_types[0]: Invalid enum value 'pager'"),
        ("[limits]\nbytes = -1", "limits.bytes is -1, it must be 0 or more"),
        ("[limits.by_sender]\ntoll-free = 0", "limits.by_sender.toll-free is 0, it must be 1 or more"),
        ('[limits]\ntypes = ["image/x-icon"]', "limits.types: an MMS can't carry image/x-icon"),
        ('[answers.codes]\n2002 = "refused"', "answers.codes.2002 is 'refused', not one of accepted, recipient"),
        ('[answers.codes]\n20 = "recipient"', "answers.codes: a status code has four digits, not 20"),
        ('[answers]\ntypes = ["xml"]', "answers.types: 'xml' is no Content-Type"),
        ('[mm7]\nmm7_version = "6"', "mm7.mm7_version is like 6.8.0, not '6'"),
        ('[mm7]\nnamespace = "a b"', "mm7.namespace holds a blank"),
        ('[mm7]\nnamespace = ""', "mm7.namespace is empty"),
        ('[mm7]\nsoap_action = "a\\r\\nb"', "mm7.soap_action holds a blank, a quote or a line end"),
        ('[mm7]\ncarrier_header = "X:"', "mm7.carrier_header is no name of an HTTP header"),
        ('[mm7]\nvasid = "{number}mms"', "mm7.vasid can hold {sender} and {service}, not {number}"),
        ('[mm7]\nid_domain = "a b"', "mm7.id_domain is no host name"),
        ('[mm7]\nvcard_mime = "text/plain"', "mm7.vcard_mime is no type of a vCard"),
        ("[mm7]\nboundary_length = 8", "mm7.boundary_length is 20 to 70"),
        ("[mm7]\nshort_code_length = 0", "mm7.short_code_length is 1 to 15"),
        ("[mm7]\ncontent_location = false", "mm7.smil_refs = location needs content_location"),
        ('[mm7]\nomissions = ["Content"]', "mm7.omissions: SubmitReq has no such element: Content"),
        ('[mm7]\nvaspid = { env = "A", file = "b" }', "mm7.vaspid: a text is expected"),
        ("mm7 = 3", "mm7: Expected object, got int"),
        ('base = "pigeon"', "base: there is no shipped profile 'pigeon'; there are 3gpp, alnum-boundary"),
        ('base = "mbuni"\nkind = "smpp"', "base: mbuni is of another kind than smpp"),
        ('kind = "pigeon"', "kind is mm7 or smpp, not 'pigeon'"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(text: str, problem: str) -> None:
    told = problems(LEAST + text)
    assert len(told) == 1
    assert told[0].startswith(problem)


@pytest.mark.parametrize(
    "url",
    ["mmsc.example", "ftp://mmsc.example/", "http://", "https://mmsc.example:0/", "http://a b/", "http://[1/"],
)
def test_a_url_that_is_none(url: str) -> None:
    assert problems(f'name = "acme"\nendpoints = ["{url}"]') == (f"endpoints: {url!r} is no http or https URL",)


def test_a_url_with_a_password_is_not_repeated() -> None:
    (told,) = problems('name = "acme"\nendpoints = ["https://u:hidden@mmsc.example/"]')
    assert told.startswith("endpoints: the URL of mmsc.example holds a user name")
    assert "hidden" not in told


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "-a", "ä"])
def test_a_name_is_part_of_a_url(name: str) -> None:
    (told,) = problems(f'name = "{name}"\nendpoints = ["https://mmsc.example/"]')
    assert told.startswith("name: ")


@pytest.mark.parametrize(
    ("text", "place"), [('a = "b"\n\nc = = 1\n', "3:5: "), ('a = "b"\nc = [1,\n', "3: "), ("a = 1\na = 2", "2:")]
)
def test_the_line_of_a_typo_is_told(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(text)
    with pytest.raises(ProfileError) as raised:
        read_profile_file(path, {})
    assert raised.value.problems[0].startswith(f"{path}:{place}")


def test_every_problem_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(LEAST + "[pace]\nrate = -1\nburst = 0")
    with pytest.raises(ProfileError) as raised:
        read_profile_file(path, {})
    assert raised.value.problems[0].startswith(f"{path}: pace.")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match=f"{path}: it is not UTF-8"):
        read_profile_file(path, {})
    with pytest.raises(ProfileError, match=f"{tmp_path}/gone.toml: it can't be read: No such file"):
        read_profile_file(tmp_path / "gone.toml", {})


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    text = LEAST + '[auth]\nauthorities = "ca.pem"'
    assert problems(text, tmp_path) == (f"auth.authorities: {tmp_path}/ca.pem holds no PEM certificate",)
    smsc = 'kind = "smpp"\nname = "s"\nhost = "h"\nport = 1\n[tls]\nauthorities = "ca.pem"'
    assert problems(smsc, tmp_path) == (f"tls.authorities: {tmp_path}/ca.pem holds no PEM certificate",)


# -- written


@pytest.mark.parametrize("whole", [False, True])
def test_a_written_profile_comes_back(tmp_path: Path, whole: bool) -> None:
    without_files = replace(CARRIER, auth=replace(CARRIER.auth, certificate="", key="", authorities=""))
    smsc = replace(SMSC, tls=replace(SMSC.tls, certificate="", key="", authorities=""))
    profile: Profile
    for profile in (without_files, smsc):
        text = profile_toml(profile, secrets=True, whole=whole)
        assert read_profile(text, folder=tmp_path, environment={}) == profile


def test_secrets_are_masked_unless_asked_for() -> None:
    for profile in (CARRIER, SMSC):
        assert "secret" not in profile_toml(profile)
        assert MASK in profile_toml(profile)
        assert "secret" in profile_toml(profile, secrets=True)


def test_only_what_differs_from_the_defaults_is_written_unless_asked_for() -> None:
    assert tomllib.loads(profile_toml(read(LEAST))) == {
        "kind": "mm7", "name": "acme", "endpoints": ["https://mmsc.acme.example/mm7"],
    }  # fmt: skip
    assert tomllib.loads(profile_toml(read(LEAST), whole=True))["pace"]["timeout"] == "1 min"


def test_changes_are_told_by_their_keys() -> None:
    before, after = read(LEAST), read(LEAST + '[pace]\nrate = 5\n[answers.codes]\n4004 = "content"')
    assert changed_keys(before, before) == []
    assert set(changed_keys(before, after)) == {"pace.rate", "answers.codes", "answers.codes.4004"}


# -- shipped


@pytest.mark.parametrize("name", list(shipped()))
def test_every_shipped_profile_is_one_and_says_what_it_is_for(name: str) -> None:
    extra = '[auth]\nkind = "header"\nheader = "X-Key"\nvalue = "v"' if name == "header-auth" else ""
    found = read(f'base = "{name}"\n{LEAST}{extra}')
    assert found.name == "acme"
    assert len(shipped()[name].about) > 30


def test_the_shipped_3gpp_profile_is_the_default() -> None:
    assert read(f'base = "3gpp"\n{LEAST}') == read(LEAST)
    assert read(f'base = "3gpp"\n{LEAST}').mm7 == Dialect()


def test_header_auth_sends_a_header_and_no_vaspid() -> None:
    found = read(f'base = "header-auth"\n{LEAST}[auth]\nheader = "X-Key"\nvalue = "v"')
    assert found.auth.kind is AuthKind.HEADER
    assert "VASPID" in found.mm7.omissions
