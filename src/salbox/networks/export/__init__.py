"""Networks written as ONNX files that do all that their programs do, at any size, and checked against PyTorch."""
