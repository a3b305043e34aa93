"""ONNX -> Network. The only place that imports onnx."""
