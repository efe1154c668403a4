"""A user's own backbone: ``backbone.name=usr:package.module:factory``.

The factory is called with two keywords, ``embedding`` (D) and ``image_size`` (H and W in pixels), and gives a Gluon
HybridBlock, not yet initialised, that turns ``(B, 3, H, W)`` float32 RGB 0..255 into ``(B, D)`` and normalises pixels
in its own graph, as every backbone here does.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fairface.config.schema import BackboneConfig
from fairface.errors import ConfigError
from fairface.mx import gluon, mx

PREFIX = "usr:"
_PROBE_BATCH = 2  # one image would hide a net that puts the batch on another axis


def build_user_backbone(config: BackboneConfig, image_size: int) -> gluon.HybridBlock:
    """Import the factory that ``config.name`` names, call it and check what it gives.

    The check is a forward pass of shapes alone: nothing is initialised and no random number drawn. It also tells
    parameters whose size was left open.

    Raises:
        ConfigError: the module or factory is missing or fails, gives no HybridBlock, or another shape than (B, D).
    """
    name = config.name
    factory = _load(name)
    try:
        block = factory(embedding=config.embedding, image_size=image_size)
    except Exception as error:
        raise ConfigError(
            f"backbone.name={name}: the factory fails when called with "
            f"embedding={config.embedding}, image_size={image_size} ({_reason(error)})"
        ) from error
    if not isinstance(block, gluon.HybridBlock):
        raise ConfigError(
            f"backbone.name={name}: the factory gives {type(block).__name__}; it must give a gluon.HybridBlock"
        )
    shapes = _output_shapes(block, name, image_size)
    wanted = (_PROBE_BATCH, config.embedding)
    if shapes != [wanted]:
        got = " and ".join(str(shape) for shape in shapes)
        raise ConfigError(
            f"backbone.name={name}: gives {got} for {_PROBE_BATCH} images of {image_size}x{image_size}; "
            f"one output {wanted} is needed, the second number is backbone.embedding"
        )
    return block


def _load(name: str) -> Callable[..., Any]:
    module_name, colon, factory_name = name.removeprefix(PREFIX).partition(":")
    if not (module_name and colon and factory_name):
        raise ConfigError(f"backbone.name is {name!r}; write usr:package.module:factory")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"backbone.name={name}: there is no module {error.name}; install it or put its folder on PYTHONPATH"
        ) from error
    except Exception as error:
        raise ConfigError(f"backbone.name={name}: importing {module_name} fails ({_reason(error)})") from error
    factory = getattr(module, factory_name, None)
    if factory is None:
        raise ConfigError(f"backbone.name={name}: {module_name} ({module.__file__}) has no {factory_name}")
    if not callable(factory):
        raise ConfigError(
            f"backbone.name={name}: {factory_name} is of type {type(factory).__name__}, not a function or class"
        )
    return factory


def _output_shapes(block: gluon.HybridBlock, name: str, image_size: int) -> list[tuple[int, ...]]:
    """Shapes of the block's outputs for a small batch; gives every parameter the shape that follows from it."""
    try:
        output = block(mx.sym.var("data"))
        symbol = output if isinstance(output, mx.sym.Symbol) else mx.sym.Group(list(output))
        inputs, outputs, states = symbol.infer_shape(data=(_PROBE_BATCH, 3, image_size, image_size))
    except Exception as error:
        raise ConfigError(
            f"backbone.name={name}: does not take images (B, 3, {image_size}, {image_size}) ({_reason(error)})"
        ) from error
    if outputs is None:
        raise ConfigError(f"backbone.name={name}: the shape of its output cannot be inferred from its input")
    names = [*symbol.list_arguments(), *symbol.list_auxiliary_states()]
    known = dict(zip(names, [*inputs, *states], strict=True))
    for parameter in block.collect_params().values():
        if parameter.name in known:
            parameter.shape = known[parameter.name]
    return [tuple(shape) for shape in outputs]


def _reason(error: BaseException) -> str:
    """The last line of an error's text (MXNet puts the cause there), or its type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
