"""Errors: one tree, a stable code each (docs/reference/errors.md).

    ExoError
    |- Refused      1  a check or gate ran and said no
    |- Usage        2  the call was malformed
    |- Internal     3  our fault
    |- NotFound     4  not there, or a prefix fits several
    |- Conflict     5  the world moved and bounded retries ran out
    |- Held         6  another session holds the lease
    |- Integrity    7  chain, lock, seal or format does not verify
    '- Environment  8  no repository, no sidecar, remote unreachable, no permission, timed out

A rule *returns* an error inside its `Outcome` (a refusal is a result); whoever is unable to go on *raises* one. Rooms
declare their own codes beside what raises them; here are those that several rooms share. The message names the thing,
`hint` says what to do next, `details` are for programs.
"""

from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

Detail: TypeAlias = str | int | bool | tuple[str, ...] | None


class Kind(StrEnum):
    """What sort of no: decides the exit status and whether trying again can help."""

    REFUSED = "Refused"
    USAGE = "Usage"
    INTERNAL = "Internal"
    NOT_FOUND = "NotFound"
    CONFLICT = "Conflict"
    HELD = "Held"
    INTEGRITY = "Integrity"
    ENVIRONMENT = "Environment"


EXIT_STATUS: Final[dict[Kind, int]] = {
    Kind.REFUSED: 1,
    Kind.USAGE: 2,
    Kind.INTERNAL: 3,
    Kind.NOT_FOUND: 4,
    Kind.CONFLICT: 5,
    Kind.HELD: 6,
    Kind.INTEGRITY: 7,
    Kind.ENVIRONMENT: 8,
}
INTERRUPTED: Final = 130
TEXT_MAX: Final = 1000
"""Characters of a message or hint: what somebody handed in is quoted in it, and may be of any length."""


class ExoError(Exception):
    """The one exception that reaches a door; `str(error)` is the message."""

    code: ClassVar[str] = "INTERNAL"
    kind: ClassVar[Kind] = Kind.INTERNAL
    advice: ClassVar[str] = ""
    """The hint when the raiser has no better one."""

    def __init__(self, message: str, *, hint: str = "", **details: Detail) -> None:
        self.message = _cut(message)
        self.hint = _cut(hint or self.advice)
        super().__init__(self.message)
        self.details = details

    @property
    def exit_status(self) -> int:
        """The process's exit status for this error."""
        return EXIT_STATUS[self.kind]


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 4]} ..."


class Refused(ExoError):
    """A check or gate ran and said no."""

    kind = Kind.REFUSED


class Usage(ExoError):
    """The call was malformed."""

    code = "USAGE"
    kind = Kind.USAGE
    advice = "add --help to the command to see its parameters"


class Internal(ExoError):
    """Our fault; the door writes a report and shows its path."""


class NotFound(ExoError):
    """Not there, or a prefix fits several."""

    kind = Kind.NOT_FOUND


class Conflict(ExoError):
    """The world moved and bounded retries ran out; trying again may help."""

    kind = Kind.CONFLICT


class Held(ExoError):
    """Another session holds the lease."""

    kind = Kind.HELD


class Integrity(ExoError):
    """A chain, lock, seal or format does not verify."""

    kind = Kind.INTEGRITY


class Environment(ExoError):
    """No repository, no sidecar, remote unreachable, no permission, timed out."""

    kind = Kind.ENVIRONMENT


class IdInvalid(Usage):
    """An id is not of the form that FORMAT allows."""

    code = "ID_INVALID"
    advice = "an id looks like TICKET-001: capital letters, a dash, letters and digits, at most 40 characters"


class ActorInvalid(Usage):
    """An actor is not `kind:name`."""

    code = "ACTOR_INVALID"
    advice = "name an actor as human:jane or agent:claude"


class ScopeInvalid(Usage):
    """A scope glob is malformed, absolute, or leaves the repository."""

    code = "SCOPE_INVALID"
    advice = "scopes are globs from the repository's root, like src/** or docs/*.md"


class ValueInvalid(Usage):
    """A value is outside of what its parameter takes."""

    code = "VALUE_INVALID"


class IdNotFound(NotFound):
    """No record has this id."""

    code = "ID_NOT_FOUND"
    advice = "exo ticket-list shows what there is"


class IdAmbiguous(NotFound):
    """A prefix fits several records."""

    code = "ID_AMBIGUOUS"
    advice = "give more characters of the id"


class NotARepository(Environment):
    """There is no git repository here."""

    code = "NOT_A_REPOSITORY"
    advice = "change into a git repository, or name one with --repo"


class OwnerUntrusted(Environment):
    """The repository belongs to somebody else."""

    code = "OWNER_UNTRUSTED"
    advice = "git config --global --add safe.directory <path> says that you trust it"


class RepositoryUnsupported(Environment):
    """The repository uses a format that exo does not write (SHA-256, reftable, unknown extensions)."""

    code = "REPOSITORY_UNSUPPORTED"


class SidecarMissing(Environment):
    """The repository is not governed yet."""

    code = "SIDECAR_MISSING"
    advice = "exo init governs this repository"


class LeaseHeld(Held):
    """Another session holds the lease; `details` say who, which epoch, how long this value has been seen here."""

    code = "LEASE_HELD"
    advice = "exo next takes another ticket; exo leases shows who holds what"


class LeaseNotHeld(Held):
    """Only the session that holds the lease may do this, and the caller's does not."""

    code = "LEASE_NOT_HELD"
    advice = "exo session-start claims the ticket"


_TAKEN: Final = (
    "your files are safe: wait for the holder (exo leases), carry the work on under a new ticket "
    "(exo ticket-create --created-by ID), or ask a person to take it back (exo lease-takeover --force --reason)"
)
"""What somebody whose ticket was taken can do."""


class SessionFenced(Held):
    """The session lost the lease: to another session, or to another copy of itself."""

    code = "SESSION_FENCED"
    advice = _TAKEN


class LeaseLost(Held):
    """The lease was held by this session and is another's now."""

    code = "LEASE_LOST"
    advice = _TAKEN


class RemoteUnreachable(Environment):
    """The remote did not answer, or answered with something that is not git."""

    code = "REMOTE_UNREACHABLE"
    advice = (
        "check the connection and the address (git remote -v); --offline works without it, claims are provisional then"
    )


class RemoteDenied(Environment):
    """The remote wants other credentials, or forbids the change."""

    code = "REMOTE_DENIED"
    advice = "try `git ls-remote` with the same remote: exo uses the same credentials"


class TimedOut(Environment):
    """Something took longer than its limit."""

    code = "TIMEOUT"


class Offline(Environment):
    """The operation needs the network and --offline forbids it."""

    code = "OFFLINE"
    advice = "leave --offline away when the remote can be reached again"


class GitRequired(Environment):
    """Git itself is needed for this and is not installed."""

    code = "GIT_REQUIRED"
    advice = "install git 2.30 or newer"


class FormatTooNew(Integrity):
    """The governance branch was written by a newer program."""

    code = "FORMAT_TOO_NEW"
    advice = "install a newer exo; nothing was changed"


class LedgerDamaged(Integrity):
    """This clone's own chain does not verify."""

    code = "LEDGER_DAMAGED"
    advice = "exo audit names the place; exo sidecar-repair goes on under a new clone id"
