"""Losses: pure functions of tensors, computed in float32."""
