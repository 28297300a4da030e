"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "327ced970487df9ef9bd21e016feef70be792869e279aabc266001a46a13ee0a"
ENCODER_DIGEST = "11f65bdb7a8c3799bad3098cd55902eede8741fa27cb6e341efabb20c195186e"
