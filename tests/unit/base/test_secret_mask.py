"""Masking: what looks like a secret is gone from a text, and everything else stays."""

import pytest

from exo_sidecar.base import secret_shapes

AWS = b"AKIA" + b"A" * 16
KEY = b"-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b"nothing here", b"nothing here"),
        (b"one " + AWS + b" two " + AWS + b".", b"one [an AWS access key] two [an AWS access key]."),
        (b"a " + KEY + b" b", b"a [a private key] b"),
        (b"cut off: " + KEY[:40], b"cut off: [a private key]"),
        (b"x" + AWS, b"x" + AWS),
        (b"ghp_" + b"a" * 36 + b" glpat-" + b"b" * 20, b"[a GitHub token] [a GitLab token]"),
    ],
)
def test_only_the_secret_goes(text: bytes, masked: bytes) -> None:
    assert secret_shapes.mask(text) == masked
    assert secret_shapes.find(secret_shapes.mask(text)) is None
