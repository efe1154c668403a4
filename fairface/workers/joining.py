"""From a worker's place and configuration to its world."""

from __future__ import annotations

from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError
from fairface.mx import Context, mx
from fairface.parallel import contexts_of, count_gpus
from fairface.quantity import quantity
from fairface.workers.kvstore import KVStoreExchange
from fairface.workers.place import Place
from fairface.workers.world import Workers


class Joining:
    """Makes the world of one worker; called with the run's configuration.

    Args:
        place: the worker's place.
        rank: its number among all.
    """

    def __init__(self, place: Place, rank: int) -> None:
        self.place, self.rank = place, rank
        self._exchange: KVStoreExchange | None = None

    def __call__(self, config: TrainConfig) -> Workers:
        contexts = own_devices(config.devices, config.gpus, self.place.local_rank, self.place.local_size)
        on_gpu = contexts[0].device_type == "gpu"
        self._exchange = KVStoreExchange(self.rank, self.place.workers, on_gpu)
        return Workers(contexts, self.rank, self.place.workers, exchange=self._exchange)

    def close(self) -> None:
        """Part from the other workers, when all of them are done."""
        if self._exchange is not None:
            self._exchange.close()


def own_devices(devices: str, gpus: str, rank: int, size: int) -> tuple[Context, ...]:
    """The devices of worker ``rank`` of the ``size`` workers of this machine: an equal part of those that are named.

    Where none are named, each takes a GPU of its own, or the CPU; where one CPU is, all take it.

    Raises:
        ConfigError: they cannot be shared equally.
        DeviceError: one is not there.
    """
    named = contexts_of(devices, gpus)
    if size == 1:
        return tuple(named)
    if not devices and not gpus and named[0].device_type == "gpu":
        named = [mx.gpu(number) for number in range(count_gpus())][:size]
    if len(named) == 1 and named[0].device_type == "cpu":
        return (mx.cpu(rank),)  # numbers of CPUs mean nothing but another stream of random numbers
    each, rest = divmod(len(named), size)
    if rest or not each:
        raise ConfigError(
            f"{quantity(len(named), 'device')} cannot be shared by {quantity(size, 'worker')} of this machine; name as "
            "many for each worker"
        )
    return tuple(named[rank * each : (rank + 1) * each])
