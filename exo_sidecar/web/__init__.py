"""DOOR: the dashboard. A page is an operation that only reads, shown as HTML.

Imports operations, model and base; the only room that imports a web framework (an extra). Touches a socket on loopback.
Invariant: nothing that is reachable from here writes.
"""
