"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "6e44152643b83f0dd486560645ff42c05d55ff809b4e5e277183f6624fba8654"
ENCODER_DIGEST = "e8503594690615c7c829105b65224f95c4ec5f1a940520eb756c3c8b6c61946d"
