"""Distortions of a batch of pictures, which restoration learns to undo: one file each.

Each file draws its random parameters on the CPU from a generator, so that a seed means the same everywhere,
and distorts on the device of the pictures. Pictures are `[N, 1, H, W]` on the scale 0..1.
"""
