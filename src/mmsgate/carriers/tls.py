"""Whom we trust over TLS, and the certificate that we show."""

import ssl
from pathlib import Path

from mmsgate.carriers.profile import Auth


def client_context(auth: Auth) -> ssl.SSLContext | None:
    """The TLS side of a profile; None where the system's own trust will do and no certificate is shown.

    Raises ValueError that begins with the setting's name for a file that can't be read or used.
    """
    if not auth.certificate and not auth.authorities:
        return None
    for name in ("certificate", "key", "authorities"):
        _check_readable(name, getattr(auth, name))
    try:
        context = ssl.create_default_context(cafile=auth.authorities or None)
    except ssl.SSLError:
        raise ValueError(f"authorities: {auth.authorities} holds no PEM certificate") from None
    context.set_alpn_protocols(["http/1.1"])
    if auth.certificate:
        _show(context, auth)
    return context


def _show(context: ssl.SSLContext, auth: Auth) -> None:
    try:  # without the password a key that has one would be asked for on the terminal
        context.load_cert_chain(auth.certificate, auth.key or None, password=lambda: b"")
    except ssl.SSLError:
        where = f"{auth.certificate} and {auth.key}" if auth.key else auth.certificate
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
