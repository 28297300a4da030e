"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "9c14f142ce713d28de96dcaa2451092c87638e9c0614058b3d48b2291642af77"
