"""Overrides that make the phantom recipes take seconds: a few steps of a model that can learn nothing."""

ENCODER = ("width=32", "depth=1", "num_heads=2", "mlp_width=64")
SHARED = ("augment.crop_size=32", "train.autocast=none", "train.log_every=1", "device=cpu")

PRETRAINING = [
    *SHARED,
    *(f"objective.encoder.{item}" for item in ENCODER),
    "objective.encoder.patch_size=16",
    *(f"objective.text.{item}" for item in ENCODER),
    *("objective.report.width=32", "objective.report.num_heads=2", "objective.report.mlp_width=64"),
    *("objective.max_report_tokens=16", "objective.max_text_tokens=16", "loader.batch_size=4"),
    *("train.steps=4", "train.validate_every=2", "train.checkpoint_every=2", "optimizer.warmup_steps=1"),
]
FINETUNING = [
    *SHARED,
    *(f"encoder.{item}" for item in ENCODER),
    "encoder.patch_size=16",
    *("finetune.batch_size=8", "finetune.min_positives=1"),
    *("train.steps=3", "train.validate_every=3", "train.checkpoint_every=3", "optimizer.warmup_steps=0"),
    "optimizer.learning_rates.image=0.01",
]
