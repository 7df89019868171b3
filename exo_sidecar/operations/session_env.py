"""The environment of the caller's session, for agents whose hooks cannot set variables."""

import json
import shlex
from typing import Annotated, Final, Literal

from exo_sidecar.domain.sessions import SessionNotActive
from exo_sidecar.host.caller import require_clear
from exo_sidecar.operations import session_facts
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

Shell = Literal["sh", "fish", "powershell", "json"]
NAMES: Final[tuple[str, ...]] = ("EXO_SESSION_ID", "EXO_TICKET_ID", "EXO_ACTOR", "EXO_EPOCH", "EXO_WORKTREE")


class SessionEnv(Params, frozen=True, kw_only=True):
    """Parameters of `session-env`."""

    shell: Annotated[Shell, param("How it is written")] = "sh"


class SessionEnvironment(Result, frozen=True, kw_only=True):
    """Variables that say which session a command belongs to."""

    env: dict[str, str]
    script: str
    """They as text for the shell; what the session has not is unset."""


@operation(Panel.SESSIONS, reads_only=True, idempotent=True)
def run(ctx: Context, params: SessionEnv) -> SessionEnvironment:
    """Print the environment of the caller's session, to be evaluated: eval "$(exo session-env)".

    Every command that sees it belongs to that session, from whatever process or worktree. It is a snapshot: print it
    again after the session has taken its lease anew.
    """
    session_id = require_clear(ctx.caller).session
    live = next((each for each in ctx.live.sessions if each.session == session_id), None)
    record = session_facts.record_of(ctx.view(), live) if live is not None else None
    if live is None or record is None or record.status != "active":
        what = f"{session_id} is not at work in this clone" if session_id else f"{ctx.caller.actor} has no session here"
        raise SessionNotActive(what, session=session_id)
    found = {
        "EXO_SESSION_ID": str(record.id),
        "EXO_TICKET_ID": str(record.ticket),
        "EXO_ACTOR": record.actor,
        "EXO_WORKTREE": live.worktree,
    }
    if live.epoch is not None:
        found["EXO_EPOCH"] = str(live.epoch)
    env: dict[str, str] = {name: found[name] for name in NAMES if name in found}
    return SessionEnvironment(env=env, script=script(env, params.shell))


def script(env: dict[str, str], shell: Shell) -> str:
    """Return the variables as text that the shell evaluates; no value of them is ever taken for a command."""
    if shell == "json":
        return json.dumps(env, indent=2, sort_keys=True) + "\n"
    return "".join(_line(name, env.get(name), shell) + "\n" for name in NAMES)


def _line(name: str, value: str | None, shell: Shell) -> str:
    if shell == "fish":
        quoted = None if value is None else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return f"set -e {name}" if quoted is None else f"set -gx {name} {quoted}"
    if shell == "powershell":
        quoted = None if value is None else "'" + value.replace("'", "''") + "'"
        return f"Remove-Item Env:{name} -ErrorAction Ignore" if quoted is None else f"$env:{name} = {quoted}"
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
