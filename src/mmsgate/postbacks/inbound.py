"""The postback of an inbound message: N401 or N211, as its account wants it."""

from mmsgate.domain.account import Account, Compat
from mmsgate.domain.inbound import Inbound
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.request import WireDialect
from mmsgate.postbacks.ledger import receiver_of
from mmsgate.store import PostbackRow
from mmsgate.wire.inbound import inbound_code, render_inbound
from mmsgate.wire.json_postback import json_inbound
from mmsgate.wire.postback import content_type

#: The folder of hosted files.
HOSTED = "/mo"


def file_url(inbound: Inbound, name: str, account: Account | None, base: str) -> str:
    """The address of one of its files, at the account's own address or else at `base`."""
    root = (account.page_base if account else "") or base
    return f"{root.rstrip('/')}{HOSTED}/{inbound.token}/{name}"


def inbound_row(
    inbound: Inbound, account: Account, base: str, operators: Operators = BUILT_IN
) -> PostbackRow | None:
    """The notification, rendered; None where the account wants none.

    There is no request whose dialect it could have: without a setting it is kebab. A strict account's has the
    contract's elements alone.
    """
    url = account.told_of_inbound
    if not url:
        return None
    dialect = account.postback.dialect or WireDialect.KEBAB
    files = [file_url(inbound, file.name, account, base) for file in inbound.files]
    group = account.switches.compat is Compat.BETTER
    if dialect is WireDialect.JSON:
        body = json_inbound(inbound, files=files, group=group)
    else:
        body = render_inbound(inbound, dialect, files=files, group=group, operators=operators)
    return PostbackRow(
        receiver=receiver_of(account.id, url),
        url=url,
        code=inbound_code(inbound.kind),
        content_type=content_type(dialect),
        body=body,
    )
