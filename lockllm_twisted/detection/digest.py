"""The SHA-256 of the weights of this release: written by training, together with them."""

DIGEST = "9ceb68a379e8f86819be72d352414aa4a7656af75d0f8488f230045f856c632b"
