"""DOOR: the Model Context Protocol. A tool call becomes an operation's parameters, its result becomes content.

Imports operations, model and base; the only room that imports mcp (an extra). Touches stdin and stdout, or a loopback
socket on request. Invariant: tools, schemas and annotations are derived from the operations' declarations, never
written here. Decides nothing and reads no records.
"""
