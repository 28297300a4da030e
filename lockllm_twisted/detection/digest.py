"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a924d40865be8234ff439a83a11983d793c895a01a58b15bb506ce7f291da117"
ENCODER_DIGEST = "414a07038cec76caea47deed7785ae6905f278b527338b9220facc217861afd8"
