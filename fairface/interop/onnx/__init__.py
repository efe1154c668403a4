"""Recognition networks as ONNX: written from MXNet graphs, and other people's files read.

Modules that read (:mod:`~fairface.interop.onnx.session`, :mod:`~fairface.interop.onnx.pixels`) do not need MXNet.
"""
