"""Own grammars: attacks on models and their matched benign twins, and the benign text of deployments.

Responsible for: ``attacks``, the chain of the attack grammars.
Must never: hold a text that stands in a public benchmark or in the data folder, or knowledge that does harm.
"""
