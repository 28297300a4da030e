"""The SHA-256 of the weights of this release: written by training, together with them."""

DIGEST = "6cc6c2e549d5714328e9ba7606dab0d506911c59a8821cdfddb826c8c20c531b"
