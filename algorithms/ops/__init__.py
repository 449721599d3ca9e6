"""What objectives share: pure functions of tensors, each in the module of its noun."""
