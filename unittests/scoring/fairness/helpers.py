"""Small worlds of subjects in groups, and their comparisons."""

import numpy as np

from fairface.comparisons import Comparisons


def small_world(subjects=60, images=3, seed=0, worse=0.0, values=("f", "m")):
    """All genuine pairs and one impostor comparison of each two subjects; subjects differ, and group f is ``worse``."""
    rng = np.random.default_rng(seed)
    group = np.arange(subjects) % len(values)
    genuine = [(s * images + i, s * images + j) for s in range(subjects) for i in range(images) for j in range(i)]
    impostor = [
        (s * images + rng.integers(images), t * images + rng.integers(images))
        for s in range(subjects)
        for t in range(s)
    ]
    a, b = np.array([*genuine, *impostor], np.int64).T
    same = np.arange(len(a)) < len(genuine)
    subject = a // images, b // images
    effect = rng.normal(0, 0.08, subjects)
    scores = np.where(same, 0.6, 0.1) + effect[subject[0]] + effect[subject[1]] + rng.normal(0, 0.12, len(a))
    scores -= worse * (same & (group[subject[0]] == 0))
    comparisons = Comparisons(
        a, b, same, np.full(len(a), -1, np.int32), *subject,
        attributes=np.repeat(group, images)[:, None].astype(np.int8),
        attribute_names=("sex",), attribute_values=(values,),
        names=tuple(f"p{s}/{i}.png" for s in range(subjects) for i in range(images)),
    )  # fmt: skip
    return np.round(scores, 3), comparisons


def with_attribute(comparisons, codes, name="glasses", values=("no", "yes")):
    """The same with one more attribute of the images."""
    from dataclasses import replace

    return replace(
        comparisons,
        attributes=np.concatenate([comparisons.attributes, np.asarray(codes, np.int8)[:, None]], axis=1),
        attribute_names=(*comparisons.attribute_names, name),
        attribute_values=(*comparisons.attribute_values, values),
    )
