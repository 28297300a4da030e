"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "1d7c03ac16396aa69e74104c6adf2c7097f4fcfa08cbc17fd6252ddb51f459ac"
