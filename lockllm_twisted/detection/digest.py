"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "aea439b2b597c4303fc1d19fa2279578b636b67b05d9b9ed1f3ba8b73e6d0bd2"
ENCODER_DIGEST = "4ab01dff069cc7bf806f95dc7725137fce2444c67884c1129d5b0aeac8deafe2"
