"""Objectives: what pre-training optimises. One file each, one line here.

An objective is a module with a dataclass `Config`, built from it and the sizes of the vocabularies that it
`reads` ("report": whole reports for a report transformer; "text": what a text encoder gets). Its
`forward(batch)` returns named losses, whose sum is the training loss; its `.encoder` is what pre-training is
for; `parameter_groups()` names the parts that have learning rates of their own. One that compares crops of
the same picture says how many it wants of each, `crops`, in training and in validation.
"""

OBJECTIVES = {
    "c2l": "lib.objectives.c2l:C2L",
    "caption_lstm": "lib.objectives.caption_lstm:CaptionLSTM",
    "caption_transformer": "lib.objectives.caption_transformer:CaptionTransformer",
    "context_restoration": "lib.objectives.context_restoration:ContextRestoration",
    "contrastive_binary": "lib.objectives.contrastive_binary:ContrastiveBinary",
    "convirt": "lib.objectives.convirt:ConVIRT",
    "lsp": "lib.objectives.lsp:LSP",
    "model_genesis": "lib.objectives.model_genesis:ModelGenesis",
    "moco_v2": "lib.objectives.moco_v2:MoCoV2",
    "refers": "lib.objectives.refers:REFERS",
    "simclr": "lib.objectives.simclr:SimCLR",
    "transvw": "lib.objectives.transvw:TransVW",
}
