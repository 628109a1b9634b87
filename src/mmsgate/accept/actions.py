"""The workflow of each action."""

from typing import assert_never

from mmsgate.accept.call import Call
from mmsgate.accept.save import SaveMmsWorkflow
from mmsgate.accept.saved import SendSavedMmsWorkflow
from mmsgate.accept.send import SendMmsWorkflow
from mmsgate.accept.templates import TemplateWorkflows
from mmsgate.domain.request import (
    DeleteMmsId,
    GetMmsIds,
    GetMmsTemplates,
    LoginUser,
    Parameters,
    SaveMms,
    SendMms,
    SendSavedMms,
)


class Actions:
    """Runs what a request asks for: the answer's bytes once everything is committed. Raises `Refusal`."""

    def __init__(
        self, *, send: SendMmsWorkflow, save: SaveMmsWorkflow, saved: SendSavedMmsWorkflow,
        templates: TemplateWorkflows,
    ) -> None:  # fmt: skip
        self._send, self._save, self._saved, self._templates = send, save, saved, templates

    async def run(self, parameters: Parameters, call: Call) -> bytes:
        match parameters:
            case SendMms():
                return await self._send.run(parameters, call)
            case SaveMms():
                return await self._save.run(parameters, call)
            case SendSavedMms():
                return await self._saved.run(parameters, call)
            case DeleteMmsId():
                return await self._templates.delete(parameters, call)
            case GetMmsTemplates():
                return await self._templates.list(parameters, call)
            case GetMmsIds():
                return await self._templates.ids(parameters, call)
            case LoginUser():
                return await self._templates.log_in(parameters, call)
            case _:
                assert_never(parameters)
