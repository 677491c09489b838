"""A contact sheet whose pictures have maps on them."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.figures.heat import OPACITY, Cover, heat_uri

SHARPER = 2
"""Pixels of a map for each of the page: screens have more than CSS counts."""


def cover_sheet(sheet: go.Figure, covers: Sequence[Cover | None]) -> None:
    """Lay maps on the pictures of a contact sheet and say below the pointer what they are.

    Args:
        sheet: from `workbench.figures.studies.contact_sheet`; changed in place.
        covers: map of each picture, or None.
    """
    width, height = sheet.layout.meta["tile"]
    places = sheet.data[1]
    hover = list(places.hovertext)
    for index, cover in enumerate(covers):
        if cover is None:
            continue
        small = Image.fromarray(np.asarray(cover.heat, np.float32))
        small = small.resize((SHARPER * width, SHARPER * height), Image.Resampling.BILINEAR)
        sheet.add_layout_image(
            source=heat_uri(np.asarray(small), 0.0),
            xref="x",
            yref="y",
            x=places.x[index] - width / 2,
            y=places.y[index] - height / 2,
            sizex=width,
            sizey=height,
            sizing="stretch",
            opacity=OPACITY,
            layer="above",
        )
        hover[index] += f"<br>{cover.words}"
    places.hovertext = hover
