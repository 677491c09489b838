"""Text-image retrieval with the sentences of a file of prompts, all together and style by style."""

from typing import Any

import numpy as np

from lib.data.prompts import Prompts
from lib.data.retrieval_lists import RetrievalLists
from lib.protocols.pair_encoder import PairEncoder
from lib.protocols.retrieval import RetrievalConfig, text_image


def retrieve_by_prompts(
    pairs: PairEncoder,
    lists: RetrievalLists,
    candidates: np.ndarray,
    prompts: Prompts,
    config: RetrievalConfig,
) -> dict[str, Any] | None:
    """Judge text-image retrieval with the positive sentences of a file of prompts.

    Args:
        pairs: embeds the sentences.
        lists: classes and candidates.
        candidates: embeddings of the candidates, `[N, E]`.
        prompts: sentences; a class that it does not have is among the candidates and never asked for.
        config: values of k.

    Returns:
        "all" sentences, and those of each of the "styles"; each with its classes. None without a sentence.
    """
    classes = [name for name in lists.classes if name in prompts.by_finding]

    def judged(styles: tuple[str, ...]) -> dict[str, Any] | None:
        texts, category = prompts.queries(classes, styles)
        if not texts:
            return None
        place = np.array([lists.classes.index(name) for name in classes])[category]
        similarity = pairs.similarity(pairs.embed_texts(texts), candidates)
        return text_image(lists, place, similarity, config)

    by_style = {style: judged((style,)) for style in prompts.styles}
    by_style = {style: report for style, report in by_style.items() if report}
    return {"all": judged(prompts.styles), "styles": by_style} if by_style else None
