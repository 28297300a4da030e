"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "91402529ec265ce2b46cd196ee3e6e35827a3ef7b35e84200bca11e088fe6b78"
ENCODER_DIGEST = "354fc242186122dd51831ebdfa019e57bebbf6a8899bd4de1ac401566459a51f"
