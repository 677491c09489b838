"""The published retrieval benchmark of ConVIRT, judged on a person's copy of CheXpert."""

from pathlib import Path
from typing import Any

from lib.atomic import write_json
from lib.data.retrieval_lists import find_pictures, read_chexpert_8x200
from lib.protocols.listed_pictures import listed_features
from lib.protocols.retrieval import RetrievalConfig, image_image, text_image
from workbench.embedded import TRAINED, Opened
from workbench.inputs import resolve_device
from workbench.runs import Run

MARGIN = 0.875
"""Side of what is looked at to side of the picture: 224 of 256 in both papers."""


def judge_chexpert_8x200(
    run: Run,
    lists: Path | str,
    root: Path | str,
    *,
    config: RetrievalConfig | None = None,
    weights: str = TRAINED,
    device: str = "auto",
) -> dict[str, Any]:
    """Judge a finished pre-training on the CheXpert 8x200 lists with their own 40 sentences.

    Args:
        run: any objective; one that embeds no texts is judged by its image encoder alone.
        lists: folder of the published lists.
        root: `CheXpert-v1.0-small`, `CheXpert-v1.0`, or the folder that holds one of them.
        config: values of k, and whether the query's own patient is left out. The paper does not speak of it,
            so its numbers are those of `exclude_same_patient=False`.
        weights: "trained" or "initial".
        device: "auto" is the GPU where there is one.

    Returns:
        What judged/chexpert_8x200.json holds: run, method, settings, "image_image" and "text_image" (None
        for an objective without texts).

    Raises:
        FileNotFoundError: a list or pictures are missing; names some.
        ValueError: a list that is not whole, or a picture that cannot be read.
    """
    config = config or RetrievalConfig()
    published = read_chexpert_8x200(lists)
    files = [find_pictures(pictures, root) for pictures in (published.queries, published.candidates)]
    opened = Opened(run, weights=weights, device=resolve_device(device))
    looked = {
        "canvas_size": round(opened.image_size / MARGIN),
        "image_size": opened.image_size,
        "evaluation": opened.evaluation,
        "device": opened.device,
    }
    encoder = opened.objective.encoder
    values = [listed_features(lambda images: encoder(images).pooled, part, **looked) for part in files]
    report = {
        "run": run.id,
        "method": run.config["objective"]["name"],
        "weights": weights,
        "image_size": opened.image_size,
        "settings": {
            "ks": list(config.ks),
            "exclude_same_patient": config.exclude_same_patient,
        },
        "image_image": image_image(published, *values, config),
        "text_image": None,
    }
    if opened.pairs is not None:
        candidates = listed_features(opened.objective.embed_images, files[1], **looked)
        similarity = opened.pairs.similarity(opened.pairs.embed_texts(published.texts), candidates)
        report["text_image"] = text_image(published, published.text_category, similarity, config)
    write_json(opened.keep("chexpert_8x200.json"), report)
    return report
