"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a924d40865be8234ff439a83a11983d793c895a01a58b15bb506ce7f291da117"
ENCODER_DIGEST = "416e8de478333b79e8304589f12db5c4dc7597124d5ed05998106caef7202b82"
