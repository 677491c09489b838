"""Protocols: how an encoder is judged. One file each, one line here.

Fine-tuning takes an encoder, a store and a manifest and leaves one row per test image in its run folder. The
others train no encoder: they read features or embeddings that were computed once.
"""

PROTOCOLS = {
    "finetune": "lib.protocols.finetune:finetune",
    "linear_probe": "lib.protocols.linear_probe:linear_probe",
    "prompt_retrieval": "lib.protocols.prompt_retrieval:retrieve_by_prompts",
    "report_generation": "lib.protocols.report_generation:generate_and_judge",
    "retrieval": "lib.protocols.retrieval:image_image",
    "zero_shot": "lib.protocols.zero_shot:zero_shot",
}
