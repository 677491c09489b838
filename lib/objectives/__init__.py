"""Objectives: what pre-training optimises. One file each, one line here.

An objective is a module with a dataclass `Config`, built from it and the sizes of the vocabularies that it
`reads` ("report": whole reports for a report transformer; "text": what a text encoder gets). Its
`forward(batch)` returns named losses, whose sum is the training loss; its `.encoder` is what pre-training is
for; `parameter_groups()` names the parts that have learning rates of their own.
"""

OBJECTIVES = {
    "contrastive_binary": "lib.objectives.contrastive_binary:ContrastiveBinary",
    "convirt": "lib.objectives.convirt:ConVIRT",
    "refers": "lib.objectives.refers:REFERS",
}
