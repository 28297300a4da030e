"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "1fe14aabd804c3f444012d38c048c6e8280ca3704ff50ca03f7333493a020b5d"
