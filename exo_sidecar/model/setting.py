"""Settings compared: one key of `config.yaml`, and what it was before."""

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that is not what it was; both values as people write them."""

    key: str
    before: str
    after: str
