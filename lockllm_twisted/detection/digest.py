"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a924d40865be8234ff439a83a11983d793c895a01a58b15bb506ce7f291da117"
ENCODER_DIGEST = "a24f32a07e5522368bd92aafc2eab3014fa994191bedbe649bf84c25c018cf1e"
