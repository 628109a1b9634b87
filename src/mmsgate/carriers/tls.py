"""Whom we trust over TLS, and the certificate that we show."""

import ssl
from pathlib import Path
from typing import Protocol

from mmsgate.carriers.profile import Auth


class Trust(Protocol):
    """The files of a section: paths of PEM files, or empty."""

    @property
    def certificate(self) -> str:
        """Ours."""
        ...

    @property
    def key(self) -> str:
        """Ours, unless it is with the certificate."""
        ...

    @property
    def authorities(self) -> str:
        """Those that we trust in place of the system's."""
        ...


def client_context(auth: Auth) -> ssl.SSLContext | None:
    """The TLS side of a carrier's HTTP connections, as `trust_of` makes it."""
    context = trust_of(auth)
    if context is not None:
        context.set_alpn_protocols(["http/1.1"])
    return context


def trust_of(files: Trust) -> ssl.SSLContext | None:
    """Our side of TLS; None where the system's own trust will do and no certificate is shown.

    Raises ValueError that begins with the setting's name for a file that can't be read or used.
    """
    if not files.certificate and not files.authorities:
        return None
    for name in ("certificate", "key", "authorities"):
        _check_readable(name, getattr(files, name))
    try:
        context = ssl.create_default_context(cafile=files.authorities or None)
    except ssl.SSLError:
        raise ValueError(f"authorities: {files.authorities} holds no PEM certificate") from None
    if files.certificate:
        _show(context, files)
    return context


def _show(context: ssl.SSLContext, files: Trust) -> None:
    try:  # without the password a key that has one would be asked for on the terminal
        context.load_cert_chain(files.certificate, files.key or None, password=lambda: b"")
    except ssl.SSLError:
        where = f"{files.certificate} and {files.key}" if files.key else files.certificate
        raise ValueError(
            f"certificate: {where}: no PEM certificate with its key, or a key with a password"
        ) from None


def _check_readable(name: str, path: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise ValueError(f"{name}: {path} can't be read: {error.strerror}") from None
