"""The ONNX operators, a family of them to a file."""
