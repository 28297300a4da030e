"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "acc4a55c1fded90c58629f56c1c301ec234f474d8cb3d977afdbc9c92b6fb71b"
ENCODER_DIGEST = "354fc242186122dd51831ebdfa019e57bebbf6a8899bd4de1ac401566459a51f"
