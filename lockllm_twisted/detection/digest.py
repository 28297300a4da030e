"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "7863d3d9012e0e39f1c5ad12d18d14c5390b66fbf77130d749f6006d6daafa31"
ENCODER_DIGEST = "2c394afc19c6ae41baccf2cdcf60140c7ff81fe3c50135973c8ec4bf3797d1a8"
