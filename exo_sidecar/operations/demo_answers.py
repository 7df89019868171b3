"""What exo answered in a demonstration: JSON of real processes, read back into the types it came from."""

from typing import NamedTuple, TypeVar

import msgspec

from exo_sidecar.host.process import Ran
from exo_sidecar.host.stage import Call
from exo_sidecar.model.errors import Environment
from exo_sidecar.operations.registry import Result

Kind = TypeVar("Kind", bound=Result)


class StepFailed(Environment):
    """A call of the demonstration ended as it should not."""

    code = "STEP_FAILED"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lease, as a refused caller is told."""

    holder: str = ""
    """The session."""
    actor: str = ""
    epoch: int | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An error."""

    code: str
    message: str
    details: msgspec.Raw = msgspec.Raw(b"{}")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    ok: bool
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


class Heard(NamedTuple):
    """A call, how it ended, and what it answered; None when that was no JSON."""

    call: Call
    status: int
    answer: Answer | None

    @property
    def code(self) -> str:
        """The error's code, empty when it went well."""
        return self.answer.error.code if self.answer is not None and self.answer.error is not None else ""

    @property
    def holder(self) -> Holder:
        """Who holds the lease, as far as the caller was told."""
        if self.answer is None or self.answer.error is None:
            return Holder()
        return msgspec.json.decode(self.answer.error.details, type=Holder)

    def data(self, kind: type[Kind]) -> Kind:
        """Return the data of an answer that must have gone well; StepFailed when it did not."""
        if self.status != 0 or self.answer is None:
            raise StepFailed(self.sentence)
        return msgspec.json.decode(self.answer.data, type=kind)

    @property
    def sentence(self) -> str:
        """How the call ended, in words."""
        fault = self.answer.error if self.answer else None
        said = f"{fault.code}: {fault.message}" if fault else "no answer"
        return f"exo {self.call.words[0]} in {self.call.clone.name} ended with {self.status}, {said}"


def heard(call: Call, ran: Ran) -> Heard:
    """Read what a process said."""
    try:
        answer = msgspec.json.decode(ran.stdout, type=Answer)
    except msgspec.DecodeError:
        answer = None
    return Heard(call, ran.status, answer)
