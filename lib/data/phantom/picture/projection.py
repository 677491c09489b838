"""One view of a study as a picture."""

import functools

import numpy as np

from lib.data.phantom.body.anatomy import build_soft_parts
from lib.data.phantom.body.devices import draw_devices
from lib.data.phantom.body.lesions import add_opacities, fill_lungs, lung_density, shrink_of
from lib.data.phantom.body.skeleton import draw_vertebrae, long_bones, vertebral_processes
from lib.data.phantom.body.vessels import vessel_tubes
from lib.data.phantom.findings import amounts_of
from lib.data.phantom.picture.exposure import expose, spread_matrix
from lib.data.phantom.picture.shapes import cast_rays
from lib.data.phantom.picture.tubes import Tubes, draw_tubes, join_tubes
from lib.data.phantom.visit import Visit, sample_visit


def render_view(domain_name: str, seed: int, index: int, view_index: int, image_size: int) -> np.ndarray:
    """Make one view of one study; the same arguments always give the same picture.

    Args:
        domain_name: "source" or "target".
        seed: of the data set.
        index: of the study.
        view_index: of the view in the study.
        image_size: pixels of a side.

    Returns:
        uint8 `[image_size, image_size]`.
    """
    visit = sample_visit(domain_name, seed, index, image_size)
    return expose(*project(visit, view_index), visit, view_index)


def project(visit: Visit, view_index: int) -> tuple[np.ndarray, np.ndarray]:
    """Integrate along the rays of one view.

    Returns:
        cm of water, and by how many of them the air in the lungs lowers it (negative), each float32 [S, S].
    """
    view = visit.views[view_index]
    rays = cast_rays(view)
    parts = build_soft_parts(rays, visit.chest, visit.patient)
    image = parts.body
    texture = _texture(visit, view_index)
    air = np.zeros_like(image)
    lungs = fill_lungs(air, visit, parts, lung_density(visit.findings))
    opacity = np.zeros_like(image)
    add_opacities(opacity, rays, visit, parts, lungs)
    image *= 1.0 + 0.006 * texture
    air *= 1.0 - 0.012 * texture
    opacity *= np.maximum(1.0 + 0.18 * texture, 0.0)
    air += opacity
    image += air
    for hollow in (*parts.airway, parts.stomach):
        image[hollow.window] -= hollow.length()
    draw_vertebrae(image, parts.cage, visit)
    bones = long_bones(visit.chest, visit.findings, arms_up=view.position == "LATERAL")
    for tubes in (*_inner_tubes(visit), bones):
        draw_tubes(image, view, tubes)
    draw_devices(image, rays, visit)
    return image, air


@functools.lru_cache(maxsize=4)
def _inner_tubes(visit: Visit) -> tuple[Tubes, Tubes]:
    """Return large vessels with processes of the spine, and small vessels; kept for the study's next view."""
    amounts = amounts_of(visit.findings)
    wet = 1.0 + (0.15 + 0.25 * amounts["Edema"] if "Edema" in amounts else 0.0)
    sparse = 1.0 - (0.3 + 0.3 * amounts["Emphysema"] if "Emphysema" in amounts else 0.0)
    shrinks = tuple(shrink_of(side, visit.findings, visit.chest) for side in ("left", "right"))
    large, small = vessel_tubes(visit.chest, visit.patient.vessels, shrinks, wet=wet, sparse=sparse)
    return join_tubes((large, vertebral_processes(visit))), small


def _texture(visit: Visit, view_index: int) -> np.ndarray:
    """Return what nothing else explains: smooth noise of two scales around 0, float32 [S, S]."""
    view = visit.views[view_index]
    draw = visit.stream(f"texture {view_index}").arrays()
    texture = np.zeros((view.size, view.size), np.float32)
    for nodes, weight in ((20, 0.8), (72, 1.0)):
        spread = spread_matrix(view.size, nodes)
        texture += weight * spread @ draw.standard_normal((nodes, nodes), dtype=np.float32) @ spread.T
    return texture
