"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "26f656bc625d8cd10f270b55dcda303a81229fd9d5a5befecb5df1270638a355"
ENCODER_DIGEST = "b13d369b737e61c790f100572b1e47659e4760b3657cd81f4e68c1fadd30ba2f"
