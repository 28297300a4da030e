"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a924d40865be8234ff439a83a11983d793c895a01a58b15bb506ce7f291da117"
ENCODER_DIGEST = "09c6818dca57dc1ef05e3accc497cf23203f453c72643d38b9b816c2082da95e"
