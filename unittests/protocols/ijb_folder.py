"""Small IJB folders in each of the public layouts."""

import cv2
import numpy as np

from fairface.faces.align import TEMPLATE_112


def lists(rng, images=90, templates=24, dataset="IJBC"):
    """The lines of each list; templates 100, 107, … show subject 500 + (template % 9); probes are those above 180."""
    ids = 100 + 7 * np.arange(templates)
    of = np.concatenate([ids, rng.choice(ids, images - templates)])
    media = rng.integers(0, 5, images)
    subject = {int(t): 500 + int(t) % 9 for t in ids}
    gallery, probes = ids[ids <= 180], ids[ids > 180]
    one = [(a, b, int(subject[a] == subject[b])) for a in map(int, gallery) for b in map(int, probes)]
    short, names = dataset.lower(), [f"{k + 1:03d}.png" for k in range(images)]
    first = {}
    for template in map(int, gallery):
        first.setdefault(subject[template], template)
    enrolled = list(first.items())
    parts = {"IJBC": ("G1", "G2"), "IJBB": ("S1", "S2")}[dataset]
    csvs = {
        f"{short}_1N_gallery_{part}.csv": [f"{t},{s},x.jpg" for s, t in enrolled[k::2] for _ in range(2)]
        for k, part in enumerate(parts)
    }
    csvs[f"{short}_1N_probe_mixed.csv"] = [f"{t},{subject[int(t)]},x.jpg" for t in probes]
    points = []
    for name in names:
        shift, scale = rng.uniform(4, 12, 2), rng.uniform(0.9, 1.1)
        marks = (TEMPLATE_112 * scale + shift).ravel()
        points.append(f"{name} {' '.join(f'{value:.3f}' for value in marks)} {rng.uniform(0.5, 1):.3f}")
    return {
        f"{short}_face_tid_mid.txt": [f"{n} {t} {m}" for n, t, m in zip(names, of, media, strict=True)],
        f"{short}_template_pair_label.txt": [f"{a} {b} {same}" for a, b, same in one],
        f"{short}_name_5pts_score.txt": points,
        **{name: ["TEMPLATE_ID,SUBJECT_ID,FILENAME", *lines] for name, lines in csvs.items()},
    }


LAYOUTS = {
    "adaface": ("{0}/meta", "{0}/meta", "{0}/loose_crop", ""),
    "insightface": ("meta", "meta", "loose_crop", ""),
    "idiap": ("meta/{0}_meta", "ijb/{0}/meta", "ijb/{0}/loose_crop", "two"),
}


def write_lists(root, files, layout="adaface", dataset="IJBC"):
    """Write the lists below ``root``; returns the path of each."""
    meta, points, _, _ = (part.format(dataset) for part in LAYOUTS[layout])
    paths = {}
    for name, lines in files.items():
        paths[name] = root / (points if "5pts" in name else meta) / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text("\n".join(lines) + "\n")
    return paths


def write_images(root, files, rng, layout="adaface", dataset="IJBC", size=136):
    """Draw five coloured discs at the landmarks of each image, so that an aligned face shows them at the template."""
    _, _, folder, shards = (part.format(dataset) for part in LAYOUTS[layout])
    for line in files[f"{dataset.lower()}_name_5pts_score.txt"]:
        name, *numbers = line.split()
        image = rng.integers(0, 40, (size, size, 3)).astype(np.uint8)
        for k, (x, y) in enumerate(np.array(numbers[:10], float).reshape(5, 2)):
            cv2.circle(image, (round(x * 8), round(y * 8)), 32, (250 - 40 * k, 60 * k, 200), -1, cv2.LINE_AA, 3)
        path = root / folder / (name[:2] if shards else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image[:, :, ::-1])
