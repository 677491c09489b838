"""A loader of small batches, for its tests."""

import numpy as np

from lib.data.augment import AugmentConfig
from lib.data.loader import StudyLoader
from lib.data.store import Store

SIZE = 24
PLAIN = AugmentConfig(crop_size=SIZE, rotation=0, flip=0, brightness=(1, 1), contrast=(1, 1))
FULL = AugmentConfig(crop_size=SIZE)


def make_loader(store: Store, **options) -> StudyLoader:
    """Return a loader of batches of 5 with small pictures, augmented."""
    rows = options.pop("rows", np.arange(len(store)))
    return StudyLoader(store, rows, **({"batch_size": 5, "image_size": SIZE, "augment": FULL} | options))
