"""The SHA-256 of the weights of this release.

Responsible for: `DIGEST`, which training writes together with the weights.
Must never: be changed by hand.
"""

DIGEST = "f234c731b6c540399bec7216c073d075cdbfe5ab44e8b428523776342f8498b0"
