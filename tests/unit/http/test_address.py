"""The address policy: every spelling of an address that must not be reached ends refused (design promise 6)."""

from ipaddress import ip_address

import pytest
from yarl import URL

from mmsgate.http.address import AddressPolicy, canonical_host, denied, literal

DENIED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::7f00:1", "::a9fe:a9fe", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "64:ff9b:1:ffff::1",
    "100::1", "2001::1", "2001:0:a9fe:a9fe::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "3ffe::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:a9fe:a9fe", "4000::1", "1::1", "200::1", "8000::1",
    "2606:4700::1%eth0",
]  # fmt: skip

GLOBAL = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:200::1", "2003::1",
]  # fmt: skip

METADATA = [
    "169.254.169.254",
    "169.254.169.254.",
    "2852039166",
    "0xa9fea9fe",
    "0xA9FEA9FE",
    "025177524776",
    "0251.0376.0251.0376",
    "0xa9.0xfe.0xa9.0xfe",
    "0xa9.254.0251.254",
    "169.254.43518",
    "169.16689662",
    "169.254.0xa9fe",
    "00000251.254.169.254",
    "%31%36%39.254.169.254",
    "１６９.２５４.１６９.２５４",
    "169。254。169。254",
    "①⑥⑨.254.169.254",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:169.254.169.254]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[::ffff:0:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::169.254.169.254]",
    "[2002:a9fe:a9fe::]",
    "[fe80::a9fe:a9fe%25eth0]",
    "[fe80::a9fe:a9fe%eth0]",
    "[fd00:ec2::254]",
    "[FD00:0EC2:0000::0254]",
]


@pytest.mark.parametrize("address", DENIED)
def test_addresses_that_are_not_globally_routable_are_denied(address: str) -> None:
    assert denied(ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    assert AddressPolicy().refusal(shown, 80)


@pytest.mark.parametrize("address", GLOBAL)
def test_globally_routable_addresses_pass(address: str) -> None:
    assert denied(ip_address(address)) is None
    assert AddressPolicy().refusal(address, 443) is None


@pytest.mark.parametrize("spelling", METADATA)
def test_every_spelling_of_the_metadata_address_is_refused(spelling: str) -> None:
    host = URL(f"http://{spelling}/latest/meta-data").raw_host
    assert host is not None
    reason = AddressPolicy().refusal(host, 80)
    assert reason is not None
    assert "fetch_allow does not list" in reason


@pytest.mark.parametrize("spelling", METADATA)
def test_allowing_the_plain_spelling_allows_no_other(spelling: str) -> None:
    policy = AddressPolicy(frozenset({("127.0.0.1", 80)}))
    assert policy.refusal(spelling, 80)


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("1.2.3", "1.2.0.3"),
        ("4294967296", "0.0.0.0"),
    ],
)
def test_short_octal_and_hexadecimal_forms_are_read_as_resolvers_read_them(spelling: str, address: str) -> None:
    assert literal(spelling) == ip_address(address)


@pytest.mark.parametrize("name", ["example.com", "1.2.3.4.5", "08.1.1.1", "a.1", "", "-1", "1..2", "0xzz"])
def test_names_are_no_addresses(name: str) -> None:
    assert literal(name) is None
    assert AddressPolicy().refusal(name, 80) is None


def test_an_odd_spelling_of_a_public_address_is_refused_with_the_plain_one() -> None:
    assert AddressPolicy().refusal("134744072", 80) == (
        "134744072 is an unusual spelling of 8.8.8.8; write it that way"
    )


def test_the_refusal_names_the_setting_and_what_to_put_there() -> None:
    assert AddressPolicy().refusal("127.0.0.1", 9000) == (
        "127.0.0.1 is a loopback address; fetch_allow does not list 127.0.0.1:9000"
    )
    assert AddressPolicy().refusal("::1", 9000) == (
        "::1 is a loopback address; fetch_allow does not list [::1]:9000"
    )


def test_the_allow_list_matches_host_and_port() -> None:
    policy = AddressPolicy.parse(["127.0.0.1:8080", "[::1]:80", "Media.Example.:443"])
    assert policy.refusal("127.0.0.1", 8080) is None
    assert policy.refusal("127.0.0.1", 8081)
    assert policy.refusal("0:0::1", 80) is None
    assert policy.allows("media.example", 443)
    assert not policy.allows("media.example", 80)


@pytest.mark.parametrize("entry", ["127.0.0.1", ":80", "a:", "a:0", "a:65536", "a:b", "a:²"])
def test_a_bad_allow_list_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        AddressPolicy.parse([entry])


def test_hosts_compare_without_case_brackets_and_trailing_dot() -> None:
    assert canonical_host("EXAMPLE.com.") == "example.com"
    assert canonical_host("[::FFFF:0:1]") == "::ffff:0:1"
