"""OUTSIDE: the governed checkout, processes, clocks, settings, who is calling.

Imports git, model and base. Touches the code worktree, processes, clocks and the environment, and this machine's own
facts: live sessions, trust, floor. `host.process` is the one place besides `git.cgit` that starts a process.
Invariants: every wait has a limit; what cannot be known is unknown, never "dead". Never touches the governance branch.
"""
