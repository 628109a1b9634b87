"""Settings and their page; a wrong value is refused by its name."""

from pathlib import Path

import pytest

from mmsgate.config import ConfigFault, Settings, load, reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_the_page_of_the_settings_says_what_the_program_says() -> None:
    """``mmsgate config`` prints the block of the page."""
    assert reference().strip() in PAGE.read_text(encoding="utf-8")


def loaded(folder: Path, **environment: str) -> Settings:
    """Settings of an environment and of nothing else."""
    named = {f"MMSGATE_{name.upper()}": value for name, value in environment.items()}
    return load(environment={"MMSGATE_DATA_DIR": str(folder), **named})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("trusted_proxies", "foo", "a list of networks like 10.0.0.0/8"),
        ("trusted_proxies", "10.0.0.0/8,10.0.0.0/99", "a list of networks like 10.0.0.0/8"),
        ("log_level", "loud", "debug, info, warning or error"),
        ("log_format", "xml", "console or json"),
        ("port", "99999", "a port from 0 to 65535"),
        ("port", "-1", "a port from 0 to 65535"),
        ("simulator_mmsc_port", "65536", "a port from 0 to 65535"),
        ("simulator_smsc_port", "65536", "a port from 0 to 65535"),
        ("image_workers", "-1", "a number from 0"),
        ("ffmpeg", "ffmpeg", "the full path of an executable file, or empty"),
        ("ffmpeg", "/nowhere/ffmpeg", "the full path of an executable file, or empty"),
        ("ffmpeg", "/", "the full path of an executable file, or empty"),
        ("fetch_cache_bytes", "-1", "a number of bytes from 0"),
        ("memory_cache_bytes", "-1", "a number of bytes from 0"),
        ("s3_cache_bytes", "-1", "a number of bytes from 0"),
        ("blobs_url", "bucket", "s3://bucket/prefix, or empty"),
        ("blobs_url", "https://s3.example.com/bucket", "s3://bucket/prefix, or empty"),
        ("blobs_url", "s3:///prefix", "s3://bucket/prefix, or empty"),
        ("blobs_url", "s3://id:key@bucket", "s3://bucket/prefix, or empty"),
        ("s3_endpoint", "s3.example.com:9000", "an http or https URL, or empty"),
        ("simulator_speed", "0", "a number from 0.001"),
        ("simulator_speed", "nan", "a number from 0.001"),
        ("simulator_speed", "inf", "a number from 0.001"),
        ("fetch_allow", "media.example.com", "a list of host:port"),
        ("fetch_allow", "media.example.com:http", "a list of host:port"),
        ("fetch_allow", ":80", "a list of host:port"),
        ("public_url", "mms.example.com", "an http or https URL, or empty"),
        ("public_url", "https://mms.example.com:99999", "an http or https URL, or empty"),
        ("public_url", "https://", "an http or https URL, or empty"),
        ("host", "", "an address or a name"),
        ("lookup_url", "https://lookup.example.com/", "an http or https URL with {number} in it, or empty"),
        ("lookup_url", "lookup.example.com/{number}", "an http or https URL with {number} in it, or empty"),
        ("lookup_headers", "s3cret", "a list of headers like Name: value"),
        ("lookup_headers", "X-Key: a\r\nX-Other: b", "a list of headers like Name: value"),
        ("lookup_timeout", "0", "seconds from 0.01 to 60"),
        ("lookup_timeout", "61", "seconds from 0.01 to 60"),
        ("ops_port", "-2", "a port from 0 to 65535, or -1"),
        ("drain_seconds", "-1", "seconds from 0 to 3600"),
        ("drain_seconds", "inf", "seconds from 0 to 3600"),
        ("trace_url", "collector:4318", "an http or https URL, or empty"),
        ("port", "eighty", "it is like 8080"),
        ("simulator", "perhaps", "it is like False"),
    ],
)
def test_a_value_that_is_of_no_use_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: str, allowed: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigFault, match=rf"^the setting {name} can't be ") as caught:
        loaded(tmp_path, **{name: value})
    assert allowed in str(caught.value)


def test_a_secret_setting_is_shown_in_no_error_and_no_repr(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault) as caught:
        loaded(tmp_path, lookup_headers="Bearer s3cret")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(loaded(tmp_path, s3_secret_key="s3cret"))
    assert "s3cret" not in repr(loaded(tmp_path, lookup_headers="Authorization: Bearer s3cret"))


def test_a_variable_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"^there is no setting MMSGATE_PROT; the settings are MMSGATE_DATA_DIR,"):
        loaded(tmp_path, prot="80")
    assert loaded(tmp_path, url="http://127.0.0.1:8080", api_key="k", test_all="1") == Settings(data_dir=tmp_path)


def test_values_that_are_of_use(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, trusted_proxies="10.0.0.1/8, 2001:db8::/32", log_level="WARNING", log_format="JSON", port="0",
        image_workers="0", simulator_speed="0.5", fetch_allow="media.example.com:80,[::1]:8080",
        public_url="https://mms.example.com/gate/",
    )  # fmt: skip
    assert settings.trusted_proxies == ("10.0.0.1/8", "2001:db8::/32")
    assert (settings.log_level, settings.log_format) == ("warning", "json")
    assert (settings.port, settings.simulator_speed) == (0, 0.5)
    assert settings.allowed_origins() == {("media.example.com", 80), ("::1", 8080)}
    assert settings.url == "https://mms.example.com/gate"


def test_the_defaults_are_of_use(tmp_path: Path) -> None:
    """Every setting of the page, written down as it stands there."""
    lines = [line.removeprefix("# ") for line in reference().splitlines() if " = " in line]
    written = [line for line in lines if not line.startswith("data_dir")]
    (tmp_path / "mmsgate.toml").write_text("\n".join(written), encoding="utf-8")
    assert loaded(tmp_path) == Settings(data_dir=tmp_path)
