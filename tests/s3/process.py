"""``python -m tests.s3.process``: the server. It prints its port, and ends when its standard input does.

``POST /-/clock`` with milliseconds sets its clock forward by so much, for objects from then on.
"""

import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import moto.s3.models
from moto.core.utils import utcnow
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

_ahead = timedelta()


def _now() -> datetime:
    return utcnow() + _ahead


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept

    def log(self, *_: object, **__: object) -> None:
        """Nothing."""


def _app() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    s3 = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        global _ahead  # noqa: PLW0603  one process, one clock
        if environ["PATH_INFO"] == "/-/clock":
            _ahead = timedelta(milliseconds=int(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
            start_response("204 No Content", [])
            return []
        answer: Iterable[bytes] = s3(environ, start_response)
        return answer

    return app


def main() -> None:
    vars(moto.s3.models)["utcnow"] = _now
    server = make_server("127.0.0.1", 0, _app(), threaded=True, request_handler=_Quiet)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
