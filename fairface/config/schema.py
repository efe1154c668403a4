"""Every key of a training configuration, its type, its default and what it means.

``train/train.py --keys`` lists the keys with their defaults; units and meaning stand in the comments here, allowed
values in :mod:`fairface.config.check`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataConfig:
    dataset: str = ""  # what the data are called in results; empty = the name of the test set
    path: str = ""  # training data: a card's name, a folder with train.rec, a folder of identities, a list or an index
    root: str = ""  # folder that the paths of a list, or the TFRecords of an index, are below; empty = the file's own
    zero_is_unlabeled: bool = False  # label 0 is no person but unlabeled (UFace's data); other labels move down by one
    on_missing: str = "stop"  # stop | skip: what a file that a list names but that is not there does
    checksums: bool = True  # compare TFRecords' checksums when reading (about 1 % of the decoding time)
    image_size: int = 112  # pixels; every image is checked against it, or resized when resize is true
    resize: bool = False  # resize images of another size instead of stopping
    exclude: str = ""  # file with record positions or names to leave out, one a line
    only: str = ""  # file with record positions to keep, one a line (hard-sample lists)
    where: str = ""  # keep only records with these attribute values (names or codes), e.g. "sex=f,glasses=0"
    on_bad_record: str = "stop"  # stop | skip: what a record that cannot be decoded does
    threads: int = 0  # decoding threads; 0 = the cores this process may use
    prefetch: int = 3  # batches decoded ahead
    in_memory: bool = False  # decode once and keep the pixels (small data only)


@dataclass(frozen=True)
class AugmentConfig:
    mirror: float = 0.5  # probability of a horizontal flip
    color: float = 0.0  # probability of brightness, contrast and saturation jitter
    color_strength: float = 0.125  # each factor is drawn from 1 +- this
    jpeg: float = 0.0  # probability of recompression
    jpeg_quality: tuple[int, int] = (2, 20)  # lowest and highest JPEG quality
    cutoff: float = 0.0  # probability of a grey square over the image
    cutoff_size: int = 32  # side of that square in pixels
    shift: float = 0.0  # probability of a small shift, rotation and scale
    shift_pixels: float = 4.0  # largest shift in pixels
    shift_degrees: float = 5.0  # largest rotation in degrees
    shift_scale: float = 0.05  # scale is drawn from 1 +- this
    crop: float = 0.0  # probability of AdaFace's crop: a random part kept in place, the rest black
    low_res: float = 0.0  # probability of AdaFace's low resolution: down and up again
    photometric: float = 0.0  # probability of AdaFace's photometric jitter (0.5 each)


@dataclass(frozen=True)
class SamplerConfig:
    kind: str = "random"  # random | pk (P identities x K images)
    images_per_class: int = 4  # K of pk; the batch size must be a multiple


@dataclass(frozen=True)
class BackboneConfig:
    name: str = "fresnet50"  # a name of fairface.backbones.BACKBONES
    embedding: int = 512  # embedding size D
    dropout: float = -1.0  # before the embedding layer, 0..1; -1 = the net's own value (fresnet 0.4)
    width: float = 1.0  # multiplier of all channel counts
    se: bool = False  # squeeze-and-excitation in the residual units
    prelu: str = "auto"  # auto | onednn | native: which form PReLU and channel gates take (native on GPUs)
    output: str = ""  # E | GDC | ECCV: layers from feature map to embedding; empty = the net's own


@dataclass(frozen=True)
class HeadConfig:
    name: str = "arcface"  # a name of fairface.heads.HEADS
    s: float = 64.0  # scale
    m1: float = 1.0  # multiplies the angle; 1 = the head's own value
    m2: float = 0.0  # added to the angle, radians; 0 = the head's own value (arcface 0.5)
    m3: float = 0.0  # taken off the cosine; 0 = the head's own value (cosface 0.35)
    label_smoothing: float = 0.0  # 0..1
    init_from: str = "random"  # random | mean_embedding: a head that is re-initialised at a fine-tune
    options: dict[str, float] = field(default_factory=dict)  # what a head takes beyond the keys above


@dataclass(frozen=True)
class TripletConfig:
    """For the methods triplet and fused, which need sampler.kind pk."""

    loss: str = "triplet"  # a name of fairface.heads.triplets.TRIPLET_LOSSES
    alpha: float = 0.0  # margin and width of the semi-hard band (squared distance or radians); 0 = the loss's own
    gamma: float = 64.0  # scale of the arc-circle losses
    theta_margin: float = 2.042035224833366  # radians, arc-circle losses: 0.65 pi
    weight: float = 1.0  # fused: factor on the triplet loss beside the class loss


@dataclass(frozen=True)
class OptimizerConfig:
    name: str = "sgd"  # sgd | nag | adam
    lr: float = 0.1  # learning rate at its highest
    momentum: float = 0.9  # sgd, nag
    weight_decay: float = 5e-4
    decay_norm: bool = True  # weight decay on BatchNorm's gamma and beta and on biases too (insightface does)
    clip_norm: float = 0.0  # largest global gradient norm; 0 = no clipping
    head_lr_mult: float = 1.0  # learning rate of the head relative to the backbone's
    schedule: str = "step"  # step | cosine | poly | constant
    milestones: tuple[float, ...] = (0.5, 0.75, 0.9)  # step: where lr drops; below 1 = share of all steps, else steps
    gamma: float = 0.1  # step: factor at a milestone
    power: float = 2.0  # poly
    final_lr: float = 0.0  # cosine, poly: learning rate at the end
    warmup: float = 0.0  # steps of linear warm-up; below 1 = share of all steps


@dataclass(frozen=True)
class VerifyConfig:
    sets: tuple[str, ...] = ()  # .bin files, pair lists or card sets; empty = the .bin files beside train.rec
    every: float = 0.0  # steps between two verifications; below 1 = share of the run; 0 = only at the end
    folds: int = 10
    fmr: tuple[float, ...] = (1e-2, 1e-3, 1e-4)  # false match rates at which TAR is reported
    flip: bool = True  # add the mirrored image's embedding
    batch_size: int = 64
    monitor: str = "auc"  # what "best" means: auc | accuracy | eer | fmr_worst | fnmr_worst (the worst group's rate)
    protected: tuple[str, ...] = ()  # fmr_worst, fnmr_worst: groups by these attributes, threshold at the first of fmr
    min_people: int = 30  # groups with fewer people do not count


@dataclass(frozen=True)
class TestConfig:
    sets: tuple[str, ...] = ()  # test sets, scored once when training ends; written to metrics.json
    checkpoint: str = "best"  # best | last: which checkpoint is scored
    baseline: str = ""  # eigenfaces: scored beside the model on the same comparisons
    bootstrap: int = 1000  # subject-level bootstrap rounds of the intervals; 0 = none
    fmr: tuple[float, ...] = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class LogConfig:
    every: int = 20  # steps between two log lines
    tensorboard: bool = True
    sheet: bool = True  # write batch.png: the first batch as the net sees it


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    name: str = "run"  # the run's folder is <output>/<name>
    output: str = "models"
    method: str = "classify"  # a name of fairface.methods.METHODS
    stage: str = "all"  # all | head: what is trained (head = everything but the classifier frozen)
    seed: int = 0
    batch_size: int = 128  # images per step over all devices
    epochs: float = 20.0  # ends after this many epochs, or after `steps` when that is not 0
    steps: int = 0
    start_from: str = ""  # checkpoint to fine-tune: run | run@step | prefix,epoch | file.ckpt, .pth, .pt
    devices: str = ""  # "cpu0,cpu1", "gpu0,gpu1"; empty = GPU 0 where there is one, else the CPU
    gpus: str = ""  # "0,1,2,3": short for devices
    kvstore: str = "device"  # local | device
    precision: str = "fp32"  # fp32 | fp16 (GPUs; dynamic loss scale) | bf16 (CPUs)
    save_every: int = 0  # steps between two checkpoints; 0 = at the end of each tenth of the run
    keep: int = 3  # checkpoints kept beside the best one
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    triplet: TripletConfig = field(default_factory=TripletConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    test: TestConfig = field(default_factory=TestConfig)
    log: LogConfig = field(default_factory=LogConfig)
