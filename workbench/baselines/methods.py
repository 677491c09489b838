"""The table of baselines: what each asks of a picture, where that is shown, and what it has learnt."""

import dataclasses
from collections.abc import Callable
from typing import Any

from workbench.baselines import crops, labels, restoring, texts, words
from workbench.runs import Run

PAGES = {"refers": "02_pretrain_refers", "convirt": "03_pretrain_convirt"}
"""Objectives with a page of their own."""


@dataclasses.dataclass(frozen=True)
class Method:
    """One baseline.

    Attributes:
        asks: what it asks of the picture, two sentences.
        source: the paper.
        examples: returns what it sees, for a run that need not be over and a number of pictures.
        learnt: returns what a finished run has learnt, likewise.
    """

    asks: str
    source: str
    examples: Callable[[Run, int], list[Any]]
    learnt: Callable[[Run, int], list[Any]]


METHODS = {
    "c2l": Method(
        "As in MoCo, one crop must find the other one's key, which a slow teacher made, among the keys of "
        "earlier pictures. Crops are mixed in pairs too, and a mixture must find the mixture of the keys: "
        "features have to pass from one picture to another as the pictures themselves do.",
        "Zhou et al., Comparing to learn, MICCAI 2020",
        crops.mixed_crops,
        crops.compared,
    ),
    "caption_lstm": Method(
        "The report has to be written from the picture, word by word, while attention chooses the places to "
        "look at. Most words follow from those before them; the rest must come from the encoder.",
        "Xu et al., Show, attend and tell, ICML 2015; a baseline of ConVIRT",
        texts.with_texts,
        texts.written,
    ),
    "caption_transformer": Method(
        "The report has to be written from the picture, word by word, by a transformer with a memory of "
        "what is usual. Most words follow from those before them; the rest must come from the encoder.",
        "Cornia et al., Meshed-memory transformer, CVPR 2020; a baseline of ConVIRT",
        texts.with_texts,
        texts.written,
    ),
    "context_restoration": Method(
        "Small patches change places, pair after pair, and the picture must be given back as it was. No "
        "grey is changed, so what does not belong where it stands can only be told from what is around it.",
        "Chen et al., Self-supervised learning for medical image analysis using image context restoration, "
        "2019",
        restoring.swapped,
        restoring.restored,
    ),
    "contrastive_binary": Method(
        "Is this the text of this picture, yes or no? Every picture comes once with its own text and once "
        "with that of another study, and both must be read well enough to notice.",
        "Zhang et al., Contrastive learning of medical visual representations, 2020, section 3.2",
        texts.with_texts,
        texts.matched,
    ),
    "lsp": Method(
        "The labels of the study must be told from each of its pictures, each label by itself: there or "
        "not. No question is made up here, so nothing is learnt that the labels do not name.",
        "Label-supervised pre-training, a baseline of Zhou et al., Nature Machine Intelligence 2022",
        labels.labelled,
        labels.told_apart,
    ),
    "moco_v2": Method(
        "One crop must find the other one's key, which a slow copy of the encoder made, the teacher. The "
        "wrong answers are keys of earlier pictures, which wait in a queue: there can be far more of them "
        "than a batch holds.",
        "Chen et al., Improved baselines with momentum contrastive learning, 2020",
        crops.crop_pairs,
        crops.compared,
    ),
    "model_genesis": Method(
        "A picture is shuffled in small windows, its greys are bent by a random curve, and noise is painted "
        "over boxes of it or around them; it must be given back as it was. That takes knowing which greys "
        "and textures a chest has, and where.",
        "Zhou et al., Models Genesis, Medical Image Analysis 2021",
        restoring.distorted,
        restoring.restored,
    ),
    "simclr": Method(
        "Two crops of one picture must find each other among all other crops of the batch. Features have to "
        "hold what two crops share, and to leave out what varies: place, size, brightness, sharpness.",
        "Chen et al., A simple framework for contrastive learning of visual representations, ICML 2020",
        crops.crop_pairs,
        crops.compared,
    ),
    "transvw": Method(
        "Crops at one place of patients who look alike are a visual word, found without any label. From a "
        "distorted crop, which may be anyone's, the word must be told and the crop be given back as it was.",
        "Haghighi et al., Transferable visual words, IEEE Transactions on Medical Imaging 2021",
        words.visual_words,
        words.restored_words,
    ),
}
"""Objective -> its method."""


def method_of(run: Run) -> Method:
    """Return the baseline that a run trains.

    Raises:
        ValueError: a run that is no pre-training by a baseline; says which page is for it.
    """
    name = run.config.get("objective", {}).get("name", run.config.get("task"))
    if name in METHODS:
        return METHODS[name]
    page = f"page {PAGES[name]} is for it" if name in PAGES else "no page shows it"
    raise ValueError(f"{name!r} is none of the baselines {', '.join(METHODS)}; {page}.")


def examples(run: Run, *, count: int) -> list[Any]:
    """Return what the objective of a run sees; the run need not be over.

    Args:
        run: of a baseline.
        count: pictures or studies.
    """
    return method_of(run).examples(run, count)


def learnt(run: Run, *, count: int) -> list[Any]:
    """Return what a finished run has learnt to do with its question.

    Args:
        run: of a baseline.
        count: pictures or studies, where single ones are shown.

    Raises:
        ValueError: the run is not finished.
    """
    return method_of(run).learnt(run, count)
