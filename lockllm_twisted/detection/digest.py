"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "d4c7b37fd1b21a792a74c68e9ddf48015b83bd9c26b4cffa71af2a9707bb7989"
