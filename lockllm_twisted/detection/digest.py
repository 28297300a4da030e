"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "327ced970487df9ef9bd21e016feef70be792869e279aabc266001a46a13ee0a"
ENCODER_DIGEST = "67286b95fdbff5bef76b7a439fe6ec0181b2cfda5640d199156aef3018cbca98"
