"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "a1ac25a24656dc45ddc140798f7271fd9bd94b134602e426970ea7828c4dab13"
