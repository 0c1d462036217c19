"""Published networks with all that their programs do before and behind them, as one graph for images of any size.

Sizes, frames and resizing are computed within the graph, by arithmetic that ONNX has, so that an exported file gives
the model's own maps wherever it is run.
"""
