"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a924d40865be8234ff439a83a11983d793c895a01a58b15bb506ce7f291da117"
ENCODER_DIGEST = "bc5bf652c482715541c2eca58dd1011ee5acd3c90b3c6778a042953328710357"
