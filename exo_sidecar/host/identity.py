"""Who acts: the actor of a call, and whether an agent is at the keyboard (docs/architecture.md, "Who acts")."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.git import configtext
from exo_sidecar.git.settings import GitSettings
from exo_sidecar.model import actor as actors
from exo_sidecar.model.actor import Actor

ACTOR_VARIABLE: Final = "EXO_ACTOR"
SESSION_VARIABLE: Final = "EXO_SESSION_ID"

AGENT_VARIABLES: Final = (
    ("CLAUDECODE", "claude"),
    ("CLAUDE_CODE_SESSION_ID", "claude"),
    ("CODEX_THREAD_ID", "codex"),
    ("CODEX_SANDBOX", "codex"),
    ("CODEX_SANDBOX_NETWORK_DISABLED", "codex"),
    ("CODEX_CI", "codex"),
    ("CURSOR_AGENT", "cursor"),
    ("CURSOR_VERSION", "cursor"),
    ("GEMINI_CLI", "gemini"),
    ("GEMINI_SESSION_ID", "gemini"),
    ("ANTIGRAVITY_AGENT", "antigravity"),
    ("COPILOT_AGENT", "copilot"),
    ("COPILOT_CLI", "copilot"),
    ("DEVIN_SESSION_ID", "devin"),
    ("OPENCODE", "opencode"),
    ("AUGMENT_AGENT", "augment"),
    ("CLINE_ACTIVE", "cline"),
)
"""Variables that agent products set for the programs they start, and the name of the product. Not listed: those that a
product also sets where people type (`CURSOR_TRACE_ID`), and aliases for compatibility (`CLAUDE_PROJECT_DIR`)."""

NAMED_BY_VALUE: Final = ("AI_AGENT",)
"""Variables whose value is the agent's name."""

_UNSET: Final = frozenset({"", "0", "false", "no"})


def agent_of(environ: Mapping[str, str]) -> str | None:
    """Return the name of the agent product whose variable is set, None when there is none."""
    for variable, name in AGENT_VARIABLES:
        if environ.get(variable, "").lower() not in _UNSET:
            return name
    for variable in NAMED_BY_VALUE:
        if environ.get(variable, "").lower() not in _UNSET:
            return environ[variable]
    return None


def is_agent_environment(environ: Mapping[str, str]) -> bool:
    """Whether a known agent started this program; human-only acts are refused then."""
    return agent_of(environ) is not None


def declared(given: str | None, environ: Mapping[str, str]) -> Actor | None:
    """Return the actor that the caller named by `--actor` or EXO_ACTOR, None when neither did; ActorInvalid."""
    text = given or environ.get(ACTOR_VARIABLE)
    return actors.parse(text) if text else None


def resolve(given: str | None, environ: Mapping[str, str], *, git_user: str | None) -> Actor:
    """Return who acts: the one named, else the agent, else the git user, else the login name. ActorInvalid."""
    if named := declared(given, environ):
        return named
    if agent := agent_of(environ):
        return actors.from_name("agent", agent)
    return actors.from_name("human", git_user or login_name(environ))


def git_user_name(common: Path, environ: Mapping[str, str]) -> str | None:
    """Return `user.name` as git has it for the repository, None when it is not set.

    Read from the plain text of the files; only where one of them includes another is all of git's configuration asked,
    because loading what reads it takes longer than a whole listing of tickets.
    """
    found: str | None = None
    for file in _config_files(common, environ):
        for item in configtext.read(file):
            if item.section.startswith("include"):
                return GitSettings(common).get(("user",), "name")
            if (item.section, item.subsection, item.key) == ("user", None, "name"):
                found = item.value or found
    return found


def _config_files(common: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return git's configuration files in the order in which a later one overrides."""
    home = environ.get("HOME") or "/"
    xdg = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    system = () if environ.get("GIT_CONFIG_NOSYSTEM") else (Path("/etc/gitconfig"),)
    named = environ.get("GIT_CONFIG_GLOBAL")
    user = (Path(named),) if named else (Path(xdg, "git", "config"), Path(home, ".gitconfig"))
    return (*system, *user, common / "config")


def login_name(environ: Mapping[str, str]) -> str:
    """Return the name of the user who runs this program, as the environment or the system has it."""
    for variable in ("LOGNAME", "USER"):
        if name := environ.get(variable):
            return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid{os.getuid()}"
