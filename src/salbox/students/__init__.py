"""The ONNX Runtime side: networks that run without torch."""
