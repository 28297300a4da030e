"""What ships with the core and comes in through the plugins' door: providers, dialects, scanners, the default policy.

Responsible for: nothing itself; `plugin` hands the others over.
Must never: import more of the core than a plugin would: values, errors, hooks, settings, and what is pure.
"""
