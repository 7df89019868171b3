"""The proof of docs/lease-safety.md: real processes on clones of one hub, faults, a checker of what happened."""
