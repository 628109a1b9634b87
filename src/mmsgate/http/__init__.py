"""The one outbound HTTP client, with its two policies: URLs that customers give, endpoints of the operator.

Nothing outside this package imports the HTTP library underneath.
"""

from mmsgate.http.address import ALLOW_SETTING, AddressPolicy
from mmsgate.http.channel import ANSWER_LIMIT
from mmsgate.http.client import FETCH_TIMEOUTS, HttpClient
from mmsgate.http.outcome import (
    Answered,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchProblem,
    Lost,
    NotModified,
    NotSent,
    PostOutcome,
    Timeouts,
)
from mmsgate.http.pool import POST_TIMEOUTS, Pool

__all__ = [
    "HttpClient",
    "Pool",
    "AddressPolicy",
    "ALLOW_SETTING",
    "Timeouts",
    "FETCH_TIMEOUTS",
    "POST_TIMEOUTS",
    "ANSWER_LIMIT",
    "Fetched",
    "NotModified",
    "FetchFailed",
    "FetchProblem",
    "FetchOutcome",
    "Answered",
    "NotSent",
    "Lost",
    "PostOutcome",
]
