"""Where a checkpoint looks on single pictures: computed when it is asked for, then kept in memory.

Letters: r and c rows and columns of the encoder's grid, S side of a stored picture.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import torch

from lib.explain.boxes import scale_maps
from lib.explain.explain import explain, methods_of, output_of, takes
from lib.explain.frame import Frame
from lib.models import ENCODERS
from lib.protocols.case_maps import predict_images, show
from lib.registry import resolve
from workbench.embedding_reading.checkpoints import Checkpoint
from workbench.embedding_reading.pictures import Pictures
from workbench.inputs import resolve_device


@dataclasses.dataclass(frozen=True, eq=False)
class PictureMap:
    """Where a model looks on a picture.

    Attributes:
        values: not negative, divided by their maximum, float32 `[r, c]`.
        is_zero: whether they are zero everywhere.
        probability: of the finding; None where the method looks at none.
    """

    values: np.ndarray
    is_zero: bool
    probability: float | None


class PictureMaps:
    """One checkpoint and its maps of pictures.

    Attributes:
        checkpoint: the model.
        findings: that it predicts; none of a pre-training.
        methods: of `lib.explain.METHODS` that fit it; those of a pre-training look at no finding.
    """

    def __init__(self, checkpoint: Checkpoint, pictures: Pictures, *, device: str = "auto"):
        """Read what the run says of itself; its model is opened with the first map.

        Args:
            checkpoint: the model.
            pictures: that maps can be asked of.
            device: where they are computed.
        """
        self.checkpoint, self._pictures, self._device = checkpoint, pictures, device
        config = checkpoint.run.config
        tuned = checkpoint.is_fine_tuned
        self.findings = list(checkpoint.run.result()["targets"]) if tuned else []
        encoder = config["encoder"] if tuned else config["objective"]["encoder"]
        fitting = methods_of(resolve(encoder["name"], ENCODERS))
        self.methods = [name for name in fitting if tuned or "targets" not in takes(name)]
        self._kept: dict[tuple[str, str, int], PictureMap] = {}

    def maps(self, places: Sequence[int], method: str, finding: str = "") -> list[PictureMap]:
        """Return the maps of some pictures, so few that they are computed at once.

        Args:
            places: of the pictures.
            method: one of `methods`.
            finding: one of `findings`; left out where the method looks at none.

        Raises:
            ValueError: a method or finding that does not fit, pictures smaller than what the model looks at,
                a model that gives no finite map.
            FileNotFoundError: the run's weights or data are not where they were.
        """
        if method not in self.methods:
            raise ValueError(
                f"{self.checkpoint.title} has no map by {method!r}; it has {', '.join(self.methods)}."
            )
        looks = "targets" in takes(method)
        if looks and finding not in self.findings:
            known = ", ".join(self.findings)
            raise ValueError(f"{self.checkpoint.title} does not know {finding!r}; it knows {known}.")
        finding = finding if looks else ""
        keys = [(method, finding, int(place)) for place in places]
        missing = [place for *_, place in dict.fromkeys(keys) if (method, finding, place) not in self._kept]
        stores = self._pictures.table["store"].to_numpy()[missing]
        for store in np.unique(stores):
            inside = np.array(missing)[stores == store]
            for place, one in zip(inside, self._compute(store, inside, method, finding), strict=True):
                self._kept[method, finding, int(place)] = one
        return [self._kept[key] for key in keys]

    def laid(self, place: int, one: PictureMap) -> np.ndarray:
        """Return a map over its stored picture, 0..1 float32 `[S, S]`."""
        frame = self._frame(int(self._pictures.table["store"].iloc[place]))
        return scale_maps(frame.to_store(one.values[None]))[0]

    def _compute(self, store: int, places: np.ndarray, method: str, finding: str) -> list[PictureMap]:
        model, device = self._model, resolve_device(self._device)
        rows = self._pictures.table["view_row"].to_numpy()[places]
        images = show(self._pictures.stores[store], rows, self._frame(store)).to(device)
        target = self.findings.index(finding) if finding else 0
        outputs = torch.full((len(places),), output_of(target, model.task) if finding else 0)
        values = explain(model, images, method, targets=outputs).cpu().numpy()
        known = predict_images(model, images)[:, target].tolist() if finding else [None] * len(places)
        return [
            PictureMap(map_, bool(peak == 0), probability)
            for map_, peak, probability in zip(scale_maps(values), values.max((1, 2)), known, strict=True)
        ]

    def _frame(self, store: int) -> Frame:
        augment = self.checkpoint.run.config["augment"]
        size = self._pictures.stores[store].image_size
        return Frame(size, augment["crop_size"], augment.get("evaluation", "crop"))

    @functools.cached_property
    def _model(self) -> torch.nn.Module:
        return self.checkpoint.open(resolve_device(self._device))
