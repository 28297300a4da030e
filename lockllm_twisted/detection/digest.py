"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "1d7c03ac16396aa69e74104c6adf2c7097f4fcfa08cbc17fd6252ddb51f459ac"
ENCODER_DIGEST = "6a4d230d5c8abf296d40947cb3028a6779123abc3a8fd0040fb7596de753eb46"
