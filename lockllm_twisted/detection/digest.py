"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "b190dfe1faac8c3c2c1e0bfafd0c901ce11b35fe785bb2f080cb19fee3d2f2c0"
ENCODER_DIGEST = "8ba0f2efed12f4033262bc16284729e506d7d73a0a251f93457393392ed853a0"
