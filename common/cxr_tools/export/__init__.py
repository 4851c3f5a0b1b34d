"""Bundles as TorchScript, ONNX and torch.export files."""
