"""The ONNX Runtime side: exported networks run without PyTorch, and those that come with this package."""
