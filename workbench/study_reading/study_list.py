"""The studies of a split in their order, found again by the names that people type."""

import numpy as np

from lib.data.store import Store


class StudyList:
    """Some studies of a store.

    Attributes:
        rows: of the store, ascending, int64 `[N]`.
        study_ids: as many.
        patient_ids: likewise.
    """

    def __init__(self, store: Store, rows: np.ndarray, split: str):
        """List the studies of a split.

        Raises:
            ValueError: there are none.
        """
        if not len(rows):
            raise ValueError(f"The {split} split of {store.path} has no study; take another split.")
        self.rows, self._split, self._store = np.sort(rows), split, store
        named = store.studies.iloc[self.rows]
        self.study_ids = named["study_id"].to_numpy(str)
        self.patient_ids = named["patient_id"].to_numpy(str)

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self.rows)

    def find(self, name: str, after: int) -> int | None:
        """Return the place of the study of that id, or of the next one of that patient; None where none is.

        Args:
            name: of a study or patient.
            after: place of the study looked at.
        """
        for names in (self.study_ids, self.patient_ids):
            if len(places := np.flatnonzero(names == name.strip())):
                later = places[places > after]
                return int(later[0] if len(later) else places[0])
        return None

    def unknown(self, name: str) -> str:
        """Say that there is no such study or patient."""
        return f"There is no study or patient {name.strip()!r} in the {self._split} split."

    def telling(self) -> int:
        """Return the place of a study worth showing first: several views, two boxed findings, many words."""
        boxes, views = self._store.boxes, self._store.views
        owners = views["study_row"].to_numpy()[boxes["view_row"].to_numpy()]
        findings = boxes.assign(study_row=owners).groupby("study_row")["finding"].nunique()
        findings = findings.reindex(self.rows, fill_value=0).to_numpy()
        num_views = np.diff(self._store.view_offsets)[self.rows]
        words = np.array([len(self._store.texts[row].split()) for row in self.rows])
        worth = 2.0 * (num_views > 1) - np.abs(findings - 2) + words / (1 + words.max())
        return int(np.argmax(worth))
