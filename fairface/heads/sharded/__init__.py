"""A classifier whose classes are split over the devices, and of which a step may take a sample (partial FC)."""

from fairface.heads.sharded.classifier import ShardedClassifier
from fairface.heads.sharded.cut import cut_classes
from fairface.heads.sharded.loss import Classified
from fairface.heads.sharded.sampling import Sampling
from fairface.heads.sharded.updater import MomentumRule, ShardUpdater

__all__ = ["Classified", "MomentumRule", "Sampling", "ShardUpdater", "ShardedClassifier", "cut_classes"]
