"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "aea439b2b597c4303fc1d19fa2279578b636b67b05d9b9ed1f3ba8b73e6d0bd2"
ENCODER_DIGEST = "9cc9dee2ede3a62bebfb580ded7dfe0d9369dfd5a683c7629b1ff83172c3552f"
