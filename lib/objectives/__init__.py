"""Objectives: what pre-training optimises. One file each, one line here.

An objective is a module with a dataclass `Config`, built from it and the sizes of the vocabularies. Its
`forward(batch)` returns named losses, whose sum is the training loss; its `.encoder` is what pre-training is
for; `parameter_groups()` names the parts that have learning rates of their own.
"""

OBJECTIVES = {"refers": "lib.objectives.refers:REFERS"}
