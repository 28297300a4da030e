"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "66eab12f9075b6a52e11925b0899ef66b29c257a9fc3d1517538fde78b6536bd"
