"""Training of the detector: from own grammars and labelled data to the weights in the wheel.

Responsible for: everything that happens before a release. Must never: be imported by ``lockllm_twisted`` or ship in the wheel.
"""
