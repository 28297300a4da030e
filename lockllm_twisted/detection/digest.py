"""The SHA-256 of the weights of this release: written by training, together with them."""

DIGEST = "9c14f142ce713d28de96dcaa2451092c87638e9c0614058b3d48b2291642af77"
