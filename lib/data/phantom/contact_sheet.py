"""A sheet of phantom views: normals of both hospitals, then each finding with its boxes.

`python -m lib.data.phantom.contact_sheet OUT.png`
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from lib.data.phantom.domain import LABEL_NAMES, SOURCE, TARGET, Domain
from lib.data.phantom.visit import Visit, sample_visit
from lib.data.readers.phantom import PhantomSource, PhantomTarget

TILE = 256
COLUMNS = 6
CAPTION = 30
COLOURS = {"R1": 255, "R2": 215, "R3": 175}
READERS = {"source": PhantomSource, "target": PhantomTarget}
EXTRA = (
    ("target", "Cardiomegaly", "LATERAL"),
    ("source", "Pleural Effusion", "LATERAL"),
    ("source", "Consolidation", "LATERAL"),
    ("target", "Pneumothorax", "AP"),
)
"""Domain, finding and position of tiles beyond one per finding."""


def draw_sheet(out: Path, seed: int = 0) -> None:
    """Write the sheet.

    Args:
        out: the picture to write.
        seed: of the data sets to choose from.
    """
    tiles = [
        _tile(domain, _first(domain, seed, None, position), seed, position)
        for domain in (SOURCE, TARGET)
        for position in ("AP" if domain is TARGET else "PA", "LATERAL")
    ]
    tiles += [_tile(SOURCE, _first(SOURCE, seed, name, "PA"), seed, "PA") for name in LABEL_NAMES]
    domains = {domain.name: domain for domain in (SOURCE, TARGET)}
    for name, finding, position in EXTRA:
        domain = domains[name]
        tiles.append(_tile(domain, _first(domain, seed, finding, position), seed, position))
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * TILE, rows * (TILE + CAPTION)))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % COLUMNS * TILE, number // COLUMNS * (TILE + CAPTION)))
    sheet.save(out, optimize=True)


def _first(domain: Domain, seed: int, finding: str | None, position: str) -> int:
    """Return the first study with this finding alone, typical and clear of the heart, in this position."""
    wanted = {finding} if finding else set()
    index = 0
    while True:
        visit = sample_visit(domain.name, seed, index, TILE)
        is_typical = all(0.45 < found.amount < 0.9 for found in visit.findings)
        is_clear = all(found.side == "right" for found in visit.findings if found.size[0] > 0.0)
        is_plain = finding is not None or not visit.devices
        if {found.name for found in visit.findings} == wanted and is_typical and is_clear and is_plain:
            if _number(visit, position) is not None:
                return index
        index += 1


def _number(visit: Visit, position: str) -> int | None:
    return next((number for number, view in enumerate(visit.views) if view.position == position), None)


def _tile(domain: Domain, index: int, seed: int, position: str) -> Image.Image:
    visit = sample_visit(domain.name, seed, index, TILE)
    study = READERS[domain.name](seed=seed, image_size=TILE).study(index)
    view = study.views[_number(visit, position)]
    tile = Image.new("L", (TILE, TILE + CAPTION))
    tile.paste(Image.fromarray(view.render()))
    pen = ImageDraw.Draw(tile)
    for box in study.boxes:
        if box.view_id == view.view_id:
            pen.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=COLOURS[box.reader])
    words = ", ".join(sorted({f"{found.side} {found.name}".strip() for found in visit.findings})) or "normal"
    pen.text((4, TILE + 2), words, fill=255)
    pen.text((4, TILE + 15), f"{domain.name} {index}, {position}, {study.sex} {study.age:.0f}", fill=170)
    return tile


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m lib.data.phantom.contact_sheet OUT.png")
    draw_sheet(Path(sys.argv[1]))
