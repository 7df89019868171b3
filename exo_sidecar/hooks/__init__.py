"""DOOR: git hooks and agent hooks, which answer in their caller's own contract.

Imports operations, model and base; on the allow path the standard library, the compiled gate and one ref, nothing
heavier, because an agent waits for it at every call. Invariants: a gate that cannot decide refuses inside a governed
session and says how to go on; the same call asked twice gets the same answer.
"""
