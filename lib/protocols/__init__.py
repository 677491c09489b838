"""Protocols: how an encoder is judged. One file each, one line here.

A protocol takes an encoder, a store and a manifest and leaves one row per test image in its run folder.
"""

PROTOCOLS = {"finetune": "lib.protocols.finetune:finetune"}
