"""May this be done? Every gate asks here: hooks, `scope-check`, `do`, `push` and the execution pipeline.

Layers are asked in one order, and the first that refuses is the answer, with its rule. A path is judged as it is
written and where its links lead, and a deny of either holds. What cannot be judged is refused (docs/kernel.md,
"Fence").
"""

import shlex
from collections.abc import Callable, Iterator
from typing import Final

from exo_sidecar.kernel import _commands, _places, _regex
from exo_sidecar.model.action import (
    Action,
    CommandAct,
    Decision,
    Fence,
    FileAct,
    Layer,
    PathFacts,
    Place,
    Spent,
    UnknownAct,
)
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.policy import BARRING
from exo_sidecar.model.rule import (
    BudgetRule,
    CommandDeny,
    FilesystemAllow,
    FilesystemDeny,
    PatchFirst,
    RequireLock,
    Rule,
)

_CHANGING: Final = frozenset({"write", "delete"})
_COMPUTED: Final = ("ledger", "governance.lock.json", "policy.sealed.json")
"""What in the mount nobody writes but exo, a person included."""


def check_action(action: Action, fence: Fence) -> Decision:
    """Return whether the action may be done, and the layer and rule that decided.

    Allowed is what no layer refuses. The answer depends on nothing but the arguments.
    """
    for layer in _LAYERS:
        refusal = layer(action, fence)
        if refusal is not None:
            return refusal
    return Decision(decision="allow", layer="allowed")


def _halt(_action: Action, fence: Fence) -> Decision | None:
    return _deny("halt", "", f"everything stands still: {fence.halted}") if fence.halted else None


def _policy(_action: Action, fence: Fence) -> Decision | None:
    if fence.verdict in BARRING or fence.seal is None:
        return _deny("policy", "", f"the policy is {fence.verdict}, so nothing can be judged by it", "exo doctor")
    return None


def _known(action: Action, _fence: Fence) -> Decision | None:
    match action:
        case UnknownAct(word=word):
            return _deny("action", "", f"{word[:60]!r} is no action that can be judged")
        case FileAct(path=facts) if facts.fault:
            return _deny("action", "", f"{facts.asked}: {facts.fault}")
        case CommandAct(argv=argv) if not argv or not argv[0]:
            return _deny("action", "", "a command without a program cannot be judged")
        case _:
            return None


def _mount(action: Action, fence: Fence) -> Decision | None:
    """Git's own folder changes by git, the ledger by exo: no fence reaches there."""
    facts = _changed(action)
    if facts is None:
        return None
    for place in _places.both(facts):
        if place.area == "git":
            return _deny("mount", "", f"{facts.asked} lies in git's own folder", "change it with git")
        if place.area == "mount" and (fence.actor == "agent" or _is_computed(place)):
            return _deny("mount", "", f"{facts.asked} lies in the mount, which exo writes", "use an exo command")
    if _is_removal(action) and (facts.holds or "" in {place.checkout for place in _places.both(facts)}):
        held = ", ".join(facts.holds) or "the checkout"
        return _deny("mount", "", f"{facts.asked} holds {held}; it is not removed as a whole")
    return None


def _session(action: Action, fence: Fence) -> Decision | None:
    facts = _changed(action)
    if facts is not None and fence.fenced:
        message = f"session {fence.session} no longer holds {fence.ticket}"
        return _deny("session", "", message, "exo leases shows who does; your files are safe")
    if not isinstance(action, FileAct) or fence.holds:
        return None
    for rule in _rules(fence):
        if not isinstance(rule, RequireLock) or action.action not in rule.actions:
            continue
        if _hit(rule.patterns, action) is not None:
            message = rule.message or f"{action.path.asked}: to {action.action} here, a ticket's lease is needed"
            return _deny("session", rule.id, message, "exo next, or exo session-start --ticket-id ID")
    return None


def _role(action: Action, fence: Fence) -> Decision | None:
    if fence.role is None:
        return None
    role = fence.role
    if isinstance(action, CommandAct):
        return None if role.does("command") else _deny("role", role.name, f"the role {role.name} runs no commands")
    facts = _changed(action)
    if facts is None or not isinstance(action, FileAct):
        return None
    if not role.does("write" if action.action == "write" else "delete"):
        return _deny("role", role.name, f"the role {role.name} does not {action.action} files")
    if role.patterns and not _is_allowed(role.patterns, action):
        return _deny("role", role.name, f"the role {role.name} does not {action.action} {facts.asked}")
    return None


def _scope_allow(action: Action, fence: Fence) -> Decision | None:
    facts = _changed(action)
    if facts is None or not isinstance(action, FileAct):
        return None
    for place in _places.both(facts):
        if place.area not in {"checkout", "mount"}:
            where = "in another worktree" if place.area == "worktree" else "outside of the checkout"
            return _deny("scope_allow", "", f"{facts.asked} lies {where}")
    if fence.scope is None or _is_allowed(fence.scope.allow, action):
        return None
    allowed = ", ".join(fence.scope.allow) or "nothing"
    return _deny("scope_allow", allowed, f"{fence.ticket} allows {allowed}, not {facts.asked}", _widen(fence))


def _scope_deny(action: Action, fence: Fence) -> Decision | None:
    if not isinstance(action, FileAct):
        return None
    hit = _hit(fence.scope.deny, action) if fence.scope is not None else None
    if hit is not None:
        return _deny("scope_deny", hit, f"{fence.ticket} denies {hit}", _widen(fence))
    if fence.actor != "agent" or action.action not in _CHANGING or fence.seal is None:
        return None
    for locked in fence.seal.locked_paths:
        if _hit(locked.patterns, action) is not None:
            return _deny("scope_deny", locked.feature, f"{action.path.asked} is locked: feature {locked.feature}")
    return None


def _filesystem(action: Action, fence: Fence) -> Decision | None:
    if not isinstance(action, FileAct):
        return None
    for rule in _rules(fence):
        if isinstance(rule, PatchFirst) and action.action in _CHANGING and _hit(rule.patterns, action) is not None:
            message = rule.message or f"{action.path.asked} changes by an approved proposal alone"
            return _deny("filesystem", rule.id, message)
        if isinstance(rule, FilesystemDeny) and action.action in rule.actions:
            hit = next((place for place in _places.both(action.path) if _is_denied(rule, place, action, fence)), None)
            if hit is not None:
                message = rule.message or f"{action.path.asked}: {action.action} is denied"
                return _deny("filesystem", rule.id, message)
    return None


def _command(action: Action, fence: Fence) -> Decision | None:
    rules = [rule for rule in _rules(fence) if isinstance(rule, CommandDeny)]
    if not isinstance(action, CommandAct) or not rules:
        return None
    try:
        commands = [*_commands.inside(action.argv)]
    except _commands.UnreadableError as error:
        return _deny("command", "", f"the command cannot be judged: {error}")
    lines = list(dict.fromkeys(shlex.join(command) for command in commands))
    for rule in rules:
        patterns = [_regex.compiled(expression) for expression in rule.regexes]
        begins = any(_begins(command, prefix) for command in commands for prefix in rule.argv_prefixes)
        if begins or any(_regex.search(pattern, line) for pattern in patterns for line in lines):
            return _deny("command", rule.id, rule.message or f"{lines[0][:80]}: this command is denied")
    return None


def _delete(action: Action, fence: Fence) -> Decision | None:
    """What git knows is removed only where the ticket names the place: `**` names none."""
    if not _is_removal(action) or not isinstance(action, FileAct) or not action.path.tracked or fence.scope is None:
        return None
    named = tuple(pattern for pattern in fence.scope.allow if pattern != EVERYTHING)
    if _is_allowed(named, action):
        return None
    message = f"{action.path.asked} is in git, and {fence.ticket} does not name it among what it allows"
    return _deny("delete", "", message, f"exo ticket-edit {fence.ticket} --add-scope-allow GLOB names it")


def _budget(action: Action, fence: Fence) -> Decision | None:
    if _changed(action) is None or fence.ticket is None:
        return None
    for name, used, own in _used(fence.spent, fence):
        ceilings = [(own, "")]
        for rule in _rules(fence):
            if isinstance(rule, BudgetRule) and (not rule.types or fence.ticket_type in rule.types):
                limit: int | None = getattr(rule, name)
                ceilings += [(limit, rule.id)] if limit is not None else []
        limit, rule_id = min(ceilings)
        if used > limit:
            return _deny("budget", rule_id, f"{fence.ticket}: {name} is {limit}, and this makes {used}")
    return None


_LAYERS: Final[tuple[Callable[[Action, Fence], Decision | None], ...]] = (
    _halt,
    _policy,
    _known,
    _mount,
    _session,
    _role,
    _scope_allow,
    _scope_deny,
    _filesystem,
    _command,
    _delete,
    _budget,
)


def _used(spent: Spent, fence: Fence) -> Iterator[tuple[str, int, int]]:
    """Yield each budget that counts now: its name, what is used with this action, and the ticket's limit."""
    limits = fence.budgets
    yield "max_steps", spent.steps, limits.max_steps
    yield "max_depth", spent.depth, limits.max_depth
    yield "max_duration_seconds", spent.duration_seconds, limits.max_duration_seconds
    if spent.is_new_file:
        yield "max_files_changed", spent.files_changed + 1, limits.max_files_changed
        yield "max_loc_changed", spent.loc_changed, limits.max_loc_changed


def _rules(fence: Fence) -> Iterator[Rule]:
    """Yield the rules that bind the caller."""
    for rule in fence.seal.rules if fence.seal is not None else ():
        if fence.actor in rule.actors:
            yield rule


def _changed(action: Action) -> PathFacts | None:
    """Return the path that an action changes, None when it changes none."""
    return action.path if isinstance(action, FileAct) and action.action in _CHANGING else None


def _is_removal(action: Action) -> bool:
    return isinstance(action, FileAct) and action.action == "delete"


def _is_whole(action: FileAct) -> bool:
    """Whether the action reaches everything below a folder. A link is removed by itself."""
    return action.action == "delete" and action.path.is_folder and not action.path.is_link


def _is_computed(place: Place) -> bool:
    return place.within in {"", *_COMPUTED} or place.within.startswith("ledger/")


def _hit(patterns: tuple[str, ...], action: FileAct) -> str | None:
    """Return the first pattern that denies the path under one of its names, None when none does."""
    matching = _places.first_below if _is_whole(action) else _places.first
    found = (matching(patterns, place, action.path) for place in _places.both(action.path))
    return next((pattern for pattern in found if pattern is not None), None)


def _is_allowed(patterns: tuple[str, ...], action: FileAct) -> bool:
    """Whether the path is allowed under each of its names; of a folder that goes, all that could lie in it."""
    facts = action.path
    if _is_whole(action):
        return all(_places.all_below(patterns, place, facts) for place in _places.both(facts))
    return all(_places.first(patterns, place, facts) is not None for place in _places.both(facts))


def _is_denied(rule: FilesystemDeny, place: Place, action: FileAct, fence: Fence) -> bool:
    """Whether the rule denies the action at the place, and no rule lifts it just there."""
    matching = _places.first_below if _is_whole(action) else _places.first
    if matching(rule.patterns, place, action.path) is None:
        return False
    return not any(
        rule.id in lifts.overrides and action.action in lifts.actions and _lifts(lifts, place, action)
        for lifts in _rules(fence)
        if isinstance(lifts, FilesystemAllow)
    )


def _lifts(rule: FilesystemAllow, place: Place, action: FileAct) -> bool:
    if _is_whole(action):
        return _places.all_below(rule.patterns, place, action.path)
    return _places.first(rule.patterns, place, action.path) is not None


def _begins(command: tuple[str, ...], prefix: tuple[str, ...]) -> bool:
    """Whether a command begins with these words, wherever its program lies."""
    named = (_commands.name_of(command[0]), *command[1:]) if "/" not in prefix[0] else command
    return named[: len(prefix)] == prefix


def _widen(fence: Fence) -> str:
    return f"a person widens it: exo ticket-edit {fence.ticket}; or make a ticket for it"


def _deny(layer: Layer, rule: str, message: str, hint: str = "") -> Decision:
    return Decision(decision="deny", layer=layer, rule=rule, message=message, hint=hint)
