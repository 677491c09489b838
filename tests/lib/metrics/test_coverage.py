"""Intervals and tests on test sets drawn from a model whose AUROC is known: do they keep what they promise?

The columns of one call are test sets of their own, which share nothing but the draws of patients.
"""

import numpy as np
import pytest
from scipy import stats

from lib.metrics.bootstrap import ResampledAUROC
from lib.metrics.delong import delong_moments
from lib.metrics.holm import holm
from lib.metrics.power import patients_needed, power

GROUPS, SETS = 10, 100
REPLICATES = 750
DISTANCES = (1.0, 0.8)
"""Of the positives' mean score from the negatives', in standard deviations, of two methods."""
TRUTH = [float(stats.norm.cdf(distance / np.sqrt(2))) for distance in DISTANCES]
NUM_PATIENTS = 200
"""Percentile intervals are too narrow for very few cases: docs/statistics.md says by how much."""


def one_image_each(generator, prevalence=0.3):
    """Return labels `[N, K]`, scores of two methods, patients; half of the noise is common to both."""
    labels = (generator.random((NUM_PATIENTS, SETS)) < prevalence).astype(float)
    common = generator.standard_normal(labels.shape)
    scores = [
        distance * labels + np.sqrt(0.5) * (common + generator.standard_normal(labels.shape))
        for distance in DISTANCES
    ]
    return labels, scores, np.arange(NUM_PATIENTS)


def several_images_each(generator):
    """Return the same for 1 to 4 images a patient, alike in label and score; more images, more often sick."""
    num_images = generator.integers(1, 5, size=NUM_PATIENTS)
    sick = generator.random((NUM_PATIENTS, SETS)) < 0.12 * num_images[:, None]
    patients = np.repeat(np.arange(NUM_PATIENTS), num_images)
    labels = np.where(generator.random((len(patients), SETS)) < 0.9, sick[patients], ~sick[patients])
    common = generator.standard_normal((NUM_PATIENTS, SETS))[patients]
    scores = []
    for distance in DISTANCES:
        own = generator.standard_normal((NUM_PATIENTS, SETS))[patients]
        noise = common + own + generator.standard_normal(labels.shape)
        scores.append(distance * labels + np.sqrt(1 / 3) * noise)
    return labels.astype(float), scores, patients


def covered(draw, *, by_image=False, groups=GROUPS):
    """Return in which share of the sets the intervals hold the truth: of one method, of a difference."""
    hits = np.zeros(2)
    for group in range(groups):
        labels, (a, b), patients = draw(np.random.default_rng(group))
        patients = np.arange(len(labels)) if by_image else patients
        resampled = ResampledAUROC(labels, {"a": a, "b": b}, patients, replicates=REPLICATES, seed=group)
        alone, pair = resampled.interval("a"), resampled.difference("a", "b")
        for index, (found, truth) in enumerate(((alone, TRUTH[0]), (pair, TRUTH[0] - TRUTH[1]))):
            hits[index] += np.sum((found.label_low <= truth) & (truth <= found.label_high))
    return hits / (groups * SETS)


@pytest.mark.parametrize("draw", [one_image_each, several_images_each])
def test_intervals_of_an_auroc_and_of_a_difference_cover_the_truth(draw):
    assert ((covered(draw) >= 0.93) & (covered(draw) <= 0.97)).all()


def test_resampling_images_of_the_same_patients_promises_too_much():
    alone, pair = covered(several_images_each, by_image=True, groups=3)
    assert alone < 0.90 and pair < 0.93


def test_the_interval_of_a_mean_over_labels_covers_the_truth():
    truth, hits = np.mean(TRUTH), 0
    for group in range(GROUPS):
        generator = np.random.default_rng(group)
        labels = (generator.random((NUM_PATIENTS, 2)) < [0.3, 0.15]).astype(float)
        # Each set has scores of its own, the two labels of an image common noise.
        noise = generator.standard_normal((SETS, NUM_PATIENTS, 1)) + generator.standard_normal(
            (SETS, NUM_PATIENTS, 2)
        )
        scores = np.array(DISTANCES) * labels + np.sqrt(0.5) * noise
        resampled = ResampledAUROC(
            labels, dict(enumerate(scores)), range(NUM_PATIENTS), replicates=REPLICATES
        )
        found = [resampled.interval(index) for index in range(SETS)]
        hits += sum(one.low <= truth <= one.high for one in found)
    assert 0.93 <= hits / (GROUPS * SETS) <= 0.97


def z_values(generator, num_sets, distance_a, distance_b, num_positives=60, num_negatives=140):
    """Return DeLong's z of many test sets that share their labels."""
    labels = np.repeat([1.0, 0.0], [num_positives, num_negatives])
    common = generator.standard_normal((num_sets, labels.size))
    a, b = (
        distance * labels + np.sqrt(0.5) * (common + generator.standard_normal(common.shape))
        for distance in (distance_a, distance_b)
    )
    difference, variance = delong_moments(labels, a, b)
    return difference / np.sqrt(variance)


def p_values(z):
    return 2 * stats.norm.sf(np.abs(z))


@pytest.mark.parametrize(("distance", "seed"), [(0.0, 0), (1.0, 1)])
def test_delong_rejects_equal_methods_in_one_of_twenty_sets(distance, seed):
    rejected = p_values(z_values(np.random.default_rng(seed), 4000, distance, distance)) < 0.05
    assert 0.04 <= rejected.mean() <= 0.06


def test_holm_keeps_the_chance_of_any_false_rejection():
    generator = np.random.default_rng(0)
    null = [z_values(generator, 2000, 1.0, 1.0) for _ in range(8)]
    real = [z_values(generator, 2000, 1.6, 0.8) for _ in range(4)]
    p = p_values(np.stack(null + real, axis=-1))  # [2000, 12]
    adjusted = holm(p)
    assert (p[:, :8] < 0.05).any(axis=1).mean() > 0.25  # uncorrected: one in three families
    assert (adjusted[:, :8] < 0.05).any(axis=1).mean() <= 0.06
    assert (holm(p[:, :8]) < 0.05).any(axis=1).mean() <= 0.06
    # It is no reason to find nothing: what is there is found, and more often than by Bonferroni.
    found = (adjusted[:, 8:] < 0.05).mean()
    assert found > 0.8
    assert found > (12 * p[:, 8:] < 0.05).mean()


def test_the_needed_patients_have_the_promised_power():
    generator = np.random.default_rng(0)
    labels = np.repeat([1.0, 0.0], [60, 140])[:, None]
    common = generator.standard_normal((200, 1))
    pilot = {
        name: distance * labels + np.sqrt(0.5) * (common + generator.standard_normal((200, 1)))
        for name, distance in zip("ab", DISTANCES, strict=True)
    }
    error = ResampledAUROC(labels, pilot, range(200)).difference("a", "b").standard_error
    truth = TRUTH[0] - TRUTH[1]
    needed = patients_needed(truth, standard_error=error, num_patients=200)
    positives = round(0.3 * needed)
    z = z_values(generator, 1000, *DISTANCES, positives, round(needed) - positives)
    assert (p_values(z) < 0.05).mean() == pytest.approx(0.8, abs=0.07)
    half = power(truth, needed / 2, standard_error=error, num_patients=200)
    z = z_values(generator, 1000, *DISTANCES, positives // 2, round(needed / 2) - positives // 2)
    assert (p_values(z) < 0.05).mean() == pytest.approx(float(half), abs=0.09)
