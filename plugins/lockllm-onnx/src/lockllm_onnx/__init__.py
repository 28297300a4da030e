"""lockllm-onnx: any ONNX text classifier on this machine's disk as a scanner, with no limit on the length of a text."""
