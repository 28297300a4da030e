"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "e3f844cd6c8b4d952bc2de53c2532ceb576897dfe1db9cb95ecddf05bf2fbbbe"
ENCODER_DIGEST = "161b8d53b8b181147d766949592d80ba3d5140e40864b2321c5b474d9a17b846"
