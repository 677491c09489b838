"""Weights of views: repeats of a view are summed, studies of one view tell nothing."""

import numpy as np
import pandas as pd

from workbench.reading import _weights_by_view


def test_repeated_views_are_summed_and_single_ones_left_out():
    views = pd.DataFrame(
        {
            "study_id": ["a", "a", "b"],
            "view_id": ["a1", "a2", "b1"],
            "position": ["PA", "LATERAL", "AP"],
            "study_row": [0, 0, 1],
        }
    )
    view_rows = np.array([[0, 1, 0], [2, 2, 2]])
    weights = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    table = _weights_by_view(views, view_rows, weights)
    assert table["view_id"].tolist() == ["a1", "a2"]
    np.testing.assert_allclose(table["weight"], [0.7, 0.3])
    assert table["position"].tolist() == ["PA", "LATERAL"]
