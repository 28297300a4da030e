"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "e3f844cd6c8b4d952bc2de53c2532ceb576897dfe1db9cb95ecddf05bf2fbbbe"
ENCODER_DIGEST = "de677b3e2b0c3f184bf0df0fcb8dc792e95d74eb5fd91ea0efcf48bc2f2c85b4"
