"""Settings of `config.yaml` that are read so far; the document is deep-merged over these."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class TicketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`tickets`."""

    require_parent: bool = True
    max_tree_depth: Annotated[int, Meta(ge=1, le=100)] = 20


class DispatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`dispatch`."""

    max_attempts: Annotated[int, Meta(ge=1, le=1000)] = 16


class LeaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`leases`."""

    remote: str = "origin"
    ttl: str = "4h"
    max_ttl: str = "24h"
    per_actor: Annotated[int, Meta(ge=1)] = 8
    guard: Literal["allow", "require"] = "allow"
    """Whether the pre-push hook lets a plain push of a leased branch go."""
    offline: Literal["provisional", "refuse"] = "provisional"


class SyncSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`sync`."""

    auto: Literal["off", "lifecycle", "always"] = "lifecycle"
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)] = 5
    max_rounds: Annotated[int, Meta(ge=1, le=100)] = 8
    remotes: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=16)] = ()
    """Whom `exo sync` exchanges with, beside the remote that decides about leases."""


class BootstrapSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`bootstrap`."""

    max_tokens: Annotated[int, Meta(ge=100)] = 1500


class LifecycleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`lifecycle`."""

    require_review: bool = False


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`storage`."""

    network: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings; keys of parts that are not read here are kept in the document and ignored."""

    version: int = 1
    tickets: TicketSettings = TicketSettings()
    dispatch: DispatchSettings = DispatchSettings()
    leases: LeaseSettings = LeaseSettings()
    sync: SyncSettings = SyncSettings()
    bootstrap: BootstrapSettings = BootstrapSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    storage: StorageSettings = StorageSettings()
