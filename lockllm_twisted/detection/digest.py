"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "8879fb2b9d34de2ca717f2559381b9912f773dcd4381031d62f0ce5355b9dad5"
