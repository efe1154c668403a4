"""Every key of a training configuration, its type, its default and what it means.

``train/train.py --keys`` lists the keys with their defaults. Units and meaning stand in the comments, allowed values
beside the defaults: ``within(default, lowest, highest)`` and ``choice(default, others …)``, see
:mod:`fairface.config.limits`. What several keys must fulfil together is checked in :mod:`fairface.config.check`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fairface.config.limits import choice, within

ONLY_SOURCE = "data"  # the name of the source that the short form (data, sampler, augment, batch_size) describes


@dataclass(frozen=True)
class DataConfig:
    dataset: str = ""  # name of the data in results; empty = the name of the test set
    path: str = ""  # training data: a card's name, a folder with train.rec, a folder of identities, a list or an index
    root: str = ""  # base folder of the paths of a list, or of an index's TFRecords; empty = the file's own folder
    zero_is_unlabeled: bool = False  # label 0 means unlabeled (UFace's data); other labels move down by one
    on_missing: str = choice("stop", "skip")  # what to do when a file of the list is missing
    checksums: bool = True  # compare TFRecords' checksums when reading (about 1 % of the decoding time)
    image_size: int = within(112, 16, 1024)  # pixels; every image is checked against it, or resized when resize is true
    resize: bool = False  # resize images of another size instead of stopping
    exclude: str = ""  # file with record positions or names to leave out, one per line
    only: str = ""  # file with record positions or names to keep, one per line (hard-sample lists)
    identities: int = within(0, 0, 1 << 40)  # how many identities the data must have; any other number stops; 0 = any
    where: str = ""  # keep only records with these attribute values (names or codes), e.g. "sex=f,glasses=0"
    on_bad_record: str = choice("stop", "skip")  # what to do when a record cannot be decoded
    threads: int = within(0, 0, 1024)  # decoding threads; 0 = the cores this process may use
    prefetch: int = within(3, 0, 1024)  # batches decoded ahead
    in_memory: bool = False  # decode once and keep the pixels (small data only)


@dataclass(frozen=True)
class AugmentConfig:
    mirror: float = within(0.5, 0, 1)  # probability of a horizontal flip
    color: float = within(0.0, 0, 1)  # probability of brightness, contrast and saturation jitter
    color_strength: float = within(0.125, 0, 1)  # each factor is drawn from 1 +- this
    jpeg: float = within(0.0, 0, 1)  # probability of recompression
    jpeg_quality: tuple[int, int] = within((2, 20), 1, 100)  # lowest and highest JPEG quality
    cutoff: float = within(0.0, 0, 1)  # probability of a grey square over the image
    cutoff_size: int = within(32, 1, 1024)  # side of that square in pixels
    shift: float = within(0.0, 0, 1)  # probability of a small shift, rotation and scale
    shift_pixels: float = within(4.0, 0, 1024)  # largest shift in pixels
    shift_degrees: float = within(5.0, 0, 180)  # largest rotation in degrees
    shift_scale: float = within(0.05, 0, 0.9)  # scale is drawn from 1 +- this
    # side in pixels of a square that is cut out of larger images and resized to image_size; 0 = none (VirFace 150)
    centre_crop: int = within(0, 0, 1 << 14)
    # where the square lies: pixels right of and below the image's middle (VirFace 0, 20)
    centre_offset: tuple[int, int] = within((0, 0), -(1 << 14), 1 << 14)
    centre_jitter: int = within(0, 0, 256)  # in training it is moved by up to so many pixels each way (VirFace 1)
    crop: float = within(0.0, 0, 1)  # probability of AdaFace's crop: a random part kept in place, the rest black
    low_res: float = within(0.0, 0, 1)  # probability of AdaFace's low resolution: down and up again
    photometric: float = within(0.0, 0, 1)  # probability of AdaFace's photometric jitter (0.5 each)
    swap_colors: float = within(0.0, 0, 1)  # probability of red and blue exchanged; 1 for images stored as BGR
    mask: float = within(0.0, 0, 1)  # probability of a mask on the face, drawn before all other changes
    mask_styles: tuple[str, ...] = ()  # names of fairface.faces.masks.STYLES; empty = all
    mask_textures: str = ""  # folder of PNG files with transparency, masks of the user's
    mask_landmarks: str = ""  # landmarks.csv of the images; empty = those that aligned crops have
    mask_nose_out: float = within(0.06, 0, 1)  # share of the masks that are worn below the nose
    mask_chin: float = within(0.03, 0, 1)  # share of the masks that are worn below the mouth


@dataclass(frozen=True)
class SamplerConfig:
    # pk: P identities x K images; distinct: random, no image twice in a batch
    kind: str = choice("random", "pk", "distinct")
    images_per_class: int = within(4, 1, 1 << 20)  # K of pk; the batch size must be a multiple


@dataclass(frozen=True)
class BackboneConfig:
    name: str = "fresnet50"  # a name of fairface.backbones.BACKBONES
    embedding: int = within(512, 1, 1 << 20)  # embedding size D
    dropout: float = within(-1.0, -1, 0.99)  # before the embedding layer, 0..1; -1 = the net's own value (fresnet 0.4)
    width: float = within(1.0, 0.01, 64)  # multiplier of all channel counts
    se: bool = False  # squeeze-and-excitation in the residual units
    prelu: str = choice("auto", "onednn", "native")  # implementation of PReLU and channel gates (native on GPUs)
    output: str = choice("", "E", "GDC", "ECCV")  # layers from feature map to embedding; empty = the net's own
    # how split_ir nets divide the face; empty = holistic quarter, rows 4:3 (published); others are its ablations
    regions: str = choice("", "rows", "rows_384", "rows_separate", "late", "reversed")
    sync_bn: bool = False  # BatchNorm over the rows of all devices and workers, not of each device (docs/workers.md)


@dataclass(frozen=True)
class HeadConfig:
    name: str = "arcface"  # a name of fairface.heads.HEADS
    s: float = within(64.0, 1e-6, 1e6)  # scale
    m1: float = within(1.0, 0.01, 10)  # multiplies the angle; 1 = the head's own value
    m2: float = within(0.0, 0, 3.2)  # added to the angle, radians; 0 = the head's own value (arcface 0.5)
    m3: float = within(0.0, 0, 2)  # taken off the cosine; 0 = the head's own value (cosface 0.35)
    label_smoothing: float = within(0.0, 0, 0.99)  # share of the target spread over all classes
    init_from: str = choice("random", "mean_embedding")  # a head that is re-initialised at a fine-tune
    # deviation of the class weights' start values; D ** -0.5 gives them a length of about 1 (AdaFace's program)
    deviation: float = within(0.01, 0, 1, open_low=True)
    options: dict[str, float] = field(default_factory=dict)  # further options of the head
    # cosines of other classes above this count as 0: for data with one person under two labels; 0 = none do
    interclass_filter: float = within(0.0, 0, 1)
    sharded: bool = False  # each device holds a part of the classes, not a copy of all (docs/classifier.md)
    sample_rate: float = within(1.0, 0, 1, open_low=True)  # sharded: share of the classes in a step (partial FC)
    # sampled: folder on a disk for class weights and momentum while the run lasts; empty = in the devices' memory
    scratch: str = ""


@dataclass(frozen=True)
class TripletConfig:
    """For the methods triplet and fused, which need sampler.kind pk."""

    # a name of fairface.heads.triplets.TRIPLET_LOSSES
    loss: str = choice("triplet", "angular_triplet", "arc_circle_triplet", "fix_arc_circle_triplet")
    # margin and width of the semi-hard band (squared distance or radians); 0 = the loss's own
    alpha: float = within(0.0, 0, 4)
    gamma: float = within(64.0, 1e-6, 1e6)  # scale of the arc-circle losses
    theta_margin: float = within(2.042035224833366, 0.01, 3.14)  # radians, arc-circle losses: 0.65 pi
    weight: float = within(1.0, 0, 1e6)  # fused: factor of the triplet loss, added to the class loss


@dataclass(frozen=True)
class VirFaceConfig:
    """For the method virface. Defaults are the paper's (Li et al. 2021); what the released code does is said."""

    gen_num: int = within(5, 1, 1000)  # virtual instances that the generator makes of every unlabeled image
    kl_weight: float = within(2.0, 0, 1e9)  # of the generator's Kullback-Leibler divergence
    # of the squared error between its output and the class centre, a mean over values: published for embeddings of 512
    l2_weight: float = within(5e3, 0, 1e9)
    instance_weight: float = within(1.0, 0, 1e6)  # of the class loss of virtual instances
    # that loss is the mean over the instances of an image (released code), not their sum
    instance_mean: bool = False
    # that loss also trains the backbone; false: only generator and classifier (released code)
    instances_train_backbone: bool = True
    # the labeled images' class loss also moves unlabeled embeddings; false: they are constants
    centres_train_backbone: bool = True
    l2_moves_classes: bool = False  # the squared error also moves the class centres in stage virface (released code)
    dropout: float = within(0.0, 0, 0.99)  # of labeled embeddings in stages virclass and virface (released code 0.5)
    # leave out unlabeled images to which some class gives at least this probability; 0 = none (released code: 0.8, off)
    overlap: float = within(0.0, 0, 1)
    hidden: int = within(256, 1, 1 << 16)  # values in the generator's hidden layers
    latent: int = within(128, 1, 1 << 16)  # values of its normal distribution


@dataclass(frozen=True)
class UDAConfig:
    """For the method uda: UFace's regularisers (fairface/methods/part_norms.py) and its class loss."""

    masked_weight: float = within(0.3, 0, 1e6)  # of L1, which shortens the lower part of masked faces' embeddings
    normal_weight: float = within(0.2, 0, 1e6)  # of L2, which keeps both parts of other faces at one length
    # what the class loss is divided by: rows of the whole batch, masked ones too (UFace), or rows that have a label
    mean: str = choice("batch", "labeled")


@dataclass(frozen=True)
class LPDConfig:
    """For the method lpd. Defaults are the released code's (Ding et al. 2020) where nothing else is said."""

    global_weight: float = within(1.0, 0, 1e6)  # of the whole image's class loss
    partial_weight: float = within(1.0, 0, 1e6)  # of the part's class loss
    height_weight: float = within(1.0, 0, 1e6)  # of |sy - nose height|: how high the part is
    # where an image's nose height comes from, a share of its height: a column nose_height of the data or of the masks
    # drawn in the loader, the end of the file's name (0_0.5625.jpg), or the same for all
    nose_height: str = choice("column", "file_name", "constant")
    nose_height_value: float = within(0.6, 0, 1, open_low=True)  # for constant; 0.64 in crops aligned to our template
    # where the part starts: top = the upper 60 % of the image; random: anywhere, mirrored too (released code)
    start_crop: str = choice("top", "random")
    # free: the localiser also says where the part lies; top: in the middle of the upper edge, ty = sy - 1, tx = 0
    anchor: str = choice("free", "top")
    localiser_lr_mult: float = within(1.0, 0, 1e6)  # learning rate of the localiser relative to the net's
    # corners: -1 and 1 are the outer pixels' centres; released: pixels 0 and size - 2, border 0 (released code)
    pixels: str = choice("corners", "released")
    height_offset: float = within(0.0, 0, 0.6)  # added to sy (the authors' earlier code: 0.6)
    joint_statistics: bool = False  # BatchNorm of the shared net sees both streams as one batch, not one by one
    epsilon: float = within(1e-4, 1e-8, 1)  # of BatchNorm
    head_deviation: float = within(1e-3, 0, 1, open_low=True)  # of the class weights' start values


@dataclass(frozen=True)
class OptimizerConfig:
    name: str = choice("sgd", "nag", "adam")  # nag: sgd with Nesterov's momentum
    lr: float = within(0.1, 0, 1e6)  # highest learning rate
    momentum: float = within(0.9, 0, 0.9999)  # sgd, nag
    weight_decay: float = within(5e-4, 0, 1e3)  # L2 penalty, added to the gradient
    decay_norm: bool = True  # weight decay on BatchNorm's gamma and beta and on biases too (insightface does)
    clip_norm: float = within(0.0, 0, 1e12)  # largest global gradient norm; 0 = no clipping
    head_lr_mult: float = within(1.0, 0, 1e6)  # learning rate of the head relative to the backbone's
    schedule: str = choice("step", "cosine", "poly", "constant")  # how the learning rate falls after the warm-up
    # step: where lr drops; below 1 = share of all steps, else steps
    milestones: tuple[float, ...] = within((0.5, 0.75, 0.9), 0, open_low=True)
    gamma: float = within(0.1, 0, 1)  # step: factor at a milestone
    power: float = within(2.0, 0, 100)  # poly
    final_lr: float = within(0.0, 0, 1e6)  # cosine, poly: learning rate at the end
    warmup: float = within(0.0, 0, 1 << 40)  # steps of linear warm-up; below 1 = share of all steps


@dataclass(frozen=True)
class VerifyConfig:
    sets: tuple[str, ...] = ()  # .bin files, pair lists or card sets; empty = the .bin files next to train.rec
    # steps between two verifications; below 1 = share of the run; 0 = only at the end
    every: float = within(0.0, 0, 1 << 40)
    folds: int = within(10, 2, 1000)  # of the cross-validated accuracy, where the set names none
    # false match rates at which TAR is reported
    fmr: tuple[float, ...] = within((1e-2, 1e-3, 1e-4), 0, 1, open_low=True, open_high=True)
    flip: bool = True  # add the mirrored image's embedding
    batch_size: int = within(64, 1, 1 << 20)  # images per step while embedding
    # several workers: each embeds its share of the verification and test images; false: worker 0 embeds all
    split: bool = True
    # what "best" means; fmr_worst, fnmr_worst: the worst group's rate
    monitor: str = choice("auc", "accuracy", "eer", "fmr_worst", "fnmr_worst")
    protected: tuple[str, ...] = ()  # fmr_worst, fnmr_worst: groups by these attributes, threshold at the first of fmr
    min_subjects: int = within(30, 2)  # groups with fewer subjects do not count


@dataclass(frozen=True)
class TestConfig:
    sets: tuple[str, ...] = ()  # test sets, scored once when training ends; written to metrics.json
    checkpoint: str = choice("best", "last")  # which checkpoint is scored
    baseline: str = choice("", "eigenfaces")  # also scored, on the same comparisons
    bootstrap: int = within(1000, 0, 1 << 20)  # bootstrap rounds of the intervals over subjects; 0 = none
    # false match rates at which TAR is reported
    fmr: tuple[float, ...] = within((1e-2, 1e-3, 1e-4), 0, 1, open_low=True, open_high=True)


@dataclass(frozen=True)
class LogConfig:
    every: int = within(20, 1, 1 << 40)  # steps between two log lines
    tensorboard: bool = True  # write the log for TensorBoard too (the extra `demo` has it)
    sheet: bool = True  # write batch.png: the first batch as the net sees it
    pictures: bool = True  # once an epoch, what the method shows of its work (lpd: crops/epoch_0001.png)


@dataclass(frozen=True)
class SourceConfig:
    """One of several data sets that a run trains on.

    In a YAML file the keys that a source leaves out of ``data``, ``sampler``, ``augment`` and ``head`` are the run's.
    """

    name: str = ""  # its name in errors, overrides (sources.<name>.data.path=…) and the log
    data: DataConfig = field(default_factory=DataConfig)  # image_size, threads and prefetch are the run's
    batch_size: int = within(0, 0, 1 << 24)  # this source's images in every step
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    weight: float = within(1.0, 0, 1e6)  # factor of this source's class loss (method uda)
    unlabeled: bool = False  # its labels are ignored: all -1
    head: HeadConfig | None = None  # of its classifier; unset = the run's


@dataclass(frozen=True)
class TrainConfig:
    """One training run, on ``data`` or, when they are given, on ``sources``."""

    name: str = "run"  # the run's folder is <output>/<name>
    output: str = "models"  # the folder of all runs
    method: str = "classify"  # a name of fairface.methods.METHODS
    stage: str = "all"  # what is trained: a stage of the method (all; head = everything but the classifier frozen)
    seed: int = within(0, 0, 2**31 - 1)  # of everything that is random: the same seed gives the same run
    batch_size: int = within(128, 1, 1 << 24)  # images per step over all sources and devices
    epochs: float = within(20.0, 0, 1e9)  # ends after this many epochs, or after `steps` when that is not 0
    steps: int = within(0, 0, 1 << 40)  # ends after this many steps; 0 = as `epochs` says
    start_from: str = ""  # checkpoint to fine-tune: run | run@step | prefix,epoch | file.ckpt, .pth, .pt, .pytorch
    devices: str = ""  # "cpu0,cpu1", "gpu0,gpu1"; empty = GPU 0 where there is one, else the CPU
    gpus: str = ""  # "0,1,2,3": short for devices
    kvstore: str = choice("device", "local")  # where gradients of several devices are summed: on one of them, or CPU
    precision: str = choice("fp32", "fp16", "bf16")  # fp16: GPUs, dynamic loss scale; bf16: CPUs
    save_every: int = within(0, 0, 1 << 40)  # steps between two checkpoints; 0 = at the end of each tenth of the run
    keep: int = within(3, 1, 1 << 20)  # checkpoints kept in addition to the best one
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    triplet: TripletConfig = field(default_factory=TripletConfig)
    virface: VirFaceConfig = field(default_factory=VirFaceConfig)
    uda: UDAConfig = field(default_factory=UDAConfig)
    lpd: LPDConfig = field(default_factory=LPDConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    test: TestConfig = field(default_factory=TestConfig)
    log: LogConfig = field(default_factory=LogConfig)
    sources: tuple[SourceConfig, ...] = ()  # several data sets in every batch, in this order; empty = the one of `data`

    def all_sources(self) -> tuple[SourceConfig, ...]:
        """The sources in the order of a batch's rows; where none are listed, the one that ``data`` describes."""
        return self.sources or (SourceConfig(ONLY_SOURCE, self.data, self.batch_size, self.sampler, self.augment),)

    def head_of(self, source: int) -> HeadConfig:
        """The head of the source at this position of :meth:`all_sources`: its own, or the run's where it has none."""
        return self.all_sources()[source].head or self.head
