"""What metrics mean, in plain words; their definitions stand with them."""

from __future__ import annotations

MEANINGS: dict[str, str] = {
    "nss": "How high the map is where people looked, in standard deviations above its own mean. Chance is 0.",
    "auc": "How often the map is higher where people looked than anywhere in the image. Chance is 0.5; a map that only "
    "knows that people look at the middle is already well above it.",
    "auc_judd": "How well a threshold on the map separates fixated pixels from all others. Chance is 0.5; a preference "
    "for the middle is rewarded.",
    "auc_borji": "As AUC-Judd, against randomly drawn pixels. Chance is 0.5; a preference for the middle is rewarded.",
    "sauc": "How often the map is higher where people looked than where they looked on other images. Chance is 0.5, "
    "also for a map that only knows that people look at the middle.",
    "cc": "Linear correlation of the map with the density of fixations. 1 is perfect, 0 is unrelated.",
    "sim": "How much of the map's and of the density's mass lies in the same places. 1 is perfect.",
    "sim_mit": "How much of the map's and of the density's mass lies in the same places, both scaled as the MIT "
    "benchmark does. 1 is perfect.",
    "kl_mit": "How much of the density the map misses; looked-at places that the map calls empty cost most. 0 is "
    "perfect.",
    "kl_pysaliency": "How much of the density the map misses, by pysaliency's regularisation. 0 is perfect.",
    "emd": "How far the map's mass has to be moved to become the density. 0 is perfect.",
    "ll": "How probable the fixations are under the predicted density. Meaningful in comparison only: between rows "
    "on the same images.",
    "ig": "How many bits a fixation the model knows beyond where people look on other images. 0 is no better than "
    "that.",
    "fidelity_cc": "Linear correlation of the student's map with its teacher's. 1 is perfect.",
    "fidelity_kl": "How much of the teacher's map the student misses. 0 is perfect.",
    "fidelity_sim": "How much of both maps' mass lies in the same places. 1 is perfect.",
    "fidelity_ssim": "How alike the two maps are in local brightness, contrast and structure. 1 is perfect.",
    "fidelity_rmse": "How far the two maps are apart, pixel by pixel. 0 is perfect.",
    "fidelity_nss": "How high the student's map is where its teacher's is above half, in standard deviations.",
    "mae": "How far the map is from the mask, pixel by pixel. 0 is perfect.",
    "max_f": "Balance of precision and recall at the one threshold that serves the whole dataset best. 1 is perfect.",
    "mean_f": "Balance of precision and recall, mean over all thresholds. 1 is perfect.",
    "adaptive_f": "Balance of precision and recall at a threshold of twice the map's mean. 1 is perfect.",
    "weighted_f": "Balance of precision and recall without a threshold; errors near the object weigh less. 1 is "
    "perfect.",
    "max_e": "Agreement with the mask in single pixels and in the whole, at the best threshold. 1 is perfect.",
    "mean_e": "Agreement with the mask in single pixels and in the whole, mean over thresholds. 1 is perfect.",
    "adaptive_e": "Agreement with the mask in single pixels and in the whole, at twice the map's mean. 1 is perfect.",
    "s_measure": "How alike map and mask are as objects and region by region. 1 is perfect.",
    "precision": "Which share of the pixels above .5 belongs to the object. 1 is perfect.",
    "recall": "Which share of the object's pixels is above .5. 1 is perfect.",
    "f1": "Balance of precision and recall at .5. 1 is perfect.",
    "accuracy": "Which share of all pixels is on the right side of .5. 1 is perfect, but a small object is easily "
    "missed at little cost.",
}
