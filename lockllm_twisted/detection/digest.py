"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "26f656bc625d8cd10f270b55dcda303a81229fd9d5a5befecb5df1270638a355"
ENCODER_DIGEST = "99c6cd79283b6ccce2aa73af5b1d79f25ab62b49eaf1c3a4434f3a87cc5aef42"
