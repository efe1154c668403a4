"""VirFace's generator: a variational autoencoder of unit-length embeddings (Li et al. 2021, VirInstance)."""

from __future__ import annotations

from typing import Any

from fairface.mx import mx, nn


class Generator(nn.HybridBlock):
    """``(embedding (B, D) of unit length, noise (B, Z)) -> output (B, D), mean (B, Z), log_variance (B, Z)``.

    It learns, on labeled embeddings, how those of one identity spread around their class centre; of an unlabeled
    embedding it then makes further instances of the same identity. The noise is an argument, so that what comes out
    does not depend on how a batch is split over devices. Layers bear the names of the published network.

    Args:
        embedding: D.
        hidden: values in each hidden layer.
        latent: Z, values of the normal distribution that is drawn from.
    """

    def __init__(self, embedding: int, hidden: int = 256, latent: int = 128) -> None:
        super().__init__()
        self.latent = latent
        start = mx.init.Xavier()
        with self.name_scope():
            self.en1 = nn.Dense(hidden, in_units=embedding, activation="relu", weight_initializer=start)
            self.en_mean = nn.Dense(latent, in_units=hidden, weight_initializer=start)
            self.en_var = nn.Dense(latent, in_units=hidden, weight_initializer=start)
            self.de1 = nn.Dense(hidden, in_units=latent, activation="relu", weight_initializer=start)
            self.de2 = nn.Dense(embedding, in_units=hidden, weight_initializer=start)

    def hybrid_forward(self, F: Any, embedding: Any, noise: Any) -> tuple[Any, Any, Any]:
        hidden = self.en1(embedding)
        mean, log_variance = self.en_mean(hidden), self.en_var(hidden)
        drawn = mean + F.exp(log_variance * 0.5) * noise
        return self.de2(self.de1(drawn)), mean, log_variance
