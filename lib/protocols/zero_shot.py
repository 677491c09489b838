"""Zero-shot classification: does the image fit better to what says a finding is there, or to its denial?

The score of an image is the mean similarity of the positive sentences minus that of the negative ones, within
a style; over several styles, the mean of their scores. No label is used, so scores are no probabilities:
they are judged by AUROC.

Letters: `N` images, `K` findings, `E` width of the embeddings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lib.data.prompts import PromptPair, Prompts
from lib.data.store import Store
from lib.protocols.features import Features
from lib.protocols.pair_encoder import PairEncoder
from lib.protocols.predictions import judge_values
from lib.protocols.targets import target_labels

ENSEMBLE = "ensemble"


def zero_shot(
    encoder: PairEncoder, images: Features, store: Store, prompts: Prompts, findings: Sequence[str]
) -> dict[str, Any]:
    """Judge prompts on the labels of embedded images.

    Args:
        encoder: embeds the prompts.
        images: embeddings of the images, any number for each study.
        store: has the labels.
        prompts: sentences of each finding by style.
        findings: labels of the store; those with one class only among the images get no AUROC.

    Returns:
        "ensemble" (all styles of each finding) and "styles" (style -> the same for the findings it has), each
        as `lib.protocols.predictions.judge` says it with patient-clustered intervals; "spread" (see
        `spread_over_styles`); "findings" and "num_prompts" (finding -> positive and negative sentences).

    Raises:
        ValueError: a finding without prompts, or that is no label of the store.
    """
    if unknown := [name for name in findings if name not in store.label_names]:
        raise ValueError(f"{store.path} has no labels {unknown}; it has {', '.join(store.label_names)}.")
    if not findings:
        raise ValueError("Zero-shot classification needs at least one finding.")
    by_style = style_scores(encoder, images.values, prompts, findings)
    labels = target_labels(store, images.study_rows, findings)
    patients = store.studies["patient_id"].to_numpy()[images.study_rows]
    ensemble = ensemble_scores(by_style, findings)
    styles = {}
    for style, scores in by_style.items():
        columns = [findings.index(name) for name in scores]
        values = np.stack(list(scores.values()), axis=1)
        styles[style] = judge_values(list(scores), labels[:, columns], values, patients)
    return {
        ENSEMBLE: judge_values(findings, labels, ensemble, patients),
        "styles": styles,
        "spread": spread_over_styles(styles),
        "findings": list(findings),
        "num_prompts": {name: _count(prompts.of(name)) for name in findings},
    }


def style_scores(
    encoder: PairEncoder, images: np.ndarray, prompts: Prompts, findings: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Score images by each style on its own.

    Args:
        encoder: embeds the prompts.
        images: embeddings `[N, E]`.
        prompts: sentences.
        findings: what to score.

    Returns:
        Style -> finding that has it -> scores, float64 `[N]`.
    """
    pairs = {
        (style, name): pair for name in findings for style, pair in prompts.of(name).items()
    }  # every sentence is compared once, whatever number of pairs it stands in
    texts = list(dict.fromkeys(text for pair in pairs.values() for side in pair for text in side))
    similarity = encoder.similarity(encoder.embed_texts(texts), images)  # [sentences, N]
    place = {text: row for row, text in enumerate(texts)}

    def mean(side: Sequence[str]) -> np.ndarray:
        return similarity[[place[text] for text in side]].mean(axis=0)

    scores: dict[str, dict[str, np.ndarray]] = {style: {} for style in prompts.styles}
    for (style, name), pair in pairs.items():
        scores[style][name] = mean(pair.positive) - mean(pair.negative)
    return {style: of_style for style, of_style in scores.items() if of_style}


def ensemble_scores(by_style: Mapping[str, Mapping[str, np.ndarray]], findings: Sequence[str]) -> np.ndarray:
    """Return the mean score over the styles that a finding has, `[N, K]`."""
    columns = [[scores[name] for scores in by_style.values() if name in scores] for name in findings]
    return np.stack([np.mean(column, axis=0) for column in columns], axis=1)


def spread_over_styles(styles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Say how much the choice of words matters: smallest, largest and standard deviation over the styles.

    Args:
        styles: what `judge_values` said of each style.

    Returns:
        "per_label" (finding -> min, max, sd, num_styles; sd None for one style), and "auroc": the same of the
        mean over the findings that every style can be judged on, with their names; None where there is none.
    """
    estimates = {
        style: {name: about["estimate"] for name, about in judged["per_label"].items()}
        for style, judged in styles.items()
    }
    names = dict.fromkeys(name for values in estimates.values() for name in values)
    per_label = {}
    for name in names:
        known = [values[name] for values in estimates.values() if values.get(name) is not None]
        if known:
            per_label[name] = _spread(known)
    common = [name for name in names if all(values.get(name) is not None for values in estimates.values())]
    means = [float(np.mean([values[name] for name in common])) for values in estimates.values() if common]
    return {"per_label": per_label, "auroc": {**_spread(means), "findings": common} if common else None}


def _spread(values: Sequence[float]) -> dict[str, Any]:
    deviation = round(float(np.std(values, ddof=1)), 6) if len(values) > 1 else None
    return {
        "min": round(min(values), 6),
        "max": round(max(values), 6),
        "sd": deviation,
        "num_styles": len(values),
    }


def _count(pairs: Mapping[str, PromptPair]) -> list[int]:
    return [sum(len(pair[side]) for pair in pairs.values()) for side in (0, 1)]
