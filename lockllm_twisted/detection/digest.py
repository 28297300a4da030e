"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "7863d3d9012e0e39f1c5ad12d18d14c5390b66fbf77130d749f6006d6daafa31"
ENCODER_DIGEST = "b13d369b737e61c790f100572b1e47659e4760b3657cd81f4e68c1fadd30ba2f"
