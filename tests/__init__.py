"""Tests: real git repositories in temporary folders, real processes, loopback only (docs/contributing.md)."""
