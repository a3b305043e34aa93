"""Constants of an ONNX graph: read when they are needed, and computed before anything is compiled."""
