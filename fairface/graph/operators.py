"""Which operators a network from a file may use, and how many outputs they have.

MXNet runs whatever operator a symbol names, and some of them are not made for files: ``_Native`` and ``_NDArray`` take
an address in memory as text and call what lies there, ``Custom`` calls Python, ``_cvimread`` opens a file, and
``gather_nd`` and ``scatter_nd`` look up places without checking them. So what networks are made of is listed here, and
anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_LAYERS = frozenset({
    "Activation", "BatchNorm", "BatchNorm_v1", "BilinearSampler", "BlockGrad", "Cast", "Concat", "Convolution",
    "Convolution_v1", "Crop", "Deconvolution", "Dropout", "ElementWiseSum", "Flatten", "FullyConnected",
    "GridGenerator", "GroupNorm", "InstanceNorm", "L2Normalization", "LRN", "LayerNorm",
    "LeakyReLU", "LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput", "MakeLoss", "Pad",
    "Pooling", "Pooling_v1", "Reshape", "SVMOutput", "SliceChannel", "Softmax", "SoftmaxActivation", "SoftmaxOutput",
    "SpatialTransformer", "SwapAxis", "UpSampling", "_contrib_AdaptiveAvgPooling2D", "_contrib_BatchNormWithReLU",
    "_contrib_BilinearResize2D", "_contrib_SyncBatchNorm", "_contrib_arange_like", "_contrib_box_nms",
    "_contrib_div_sqrt_dim", "_contrib_interleaved_matmul_selfatt_qk", "_contrib_interleaved_matmul_selfatt_valatt",
})  # fmt: skip
_FUNCTIONS = frozenset({
    "_copy", "abs", "add_n", "amp_cast", "amp_multicast", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh",
    "argmax", "argmax_channel", "argmin", "batch_dot", "broadcast_axes", "broadcast_axis", "broadcast_like",
    "broadcast_to", "cast", "cbrt", "ceil", "clip", "concat", "cos", "cosh", "crop", "cumsum", "depth_to_space", "dot",
    "erf", "erfinv", "exp", "expand_dims", "expm1", "fix", "flatten", "flip", "floor", "hard_sigmoid", "identity",
    "linalg_gemm", "linalg_gemm2", "log", "log10", "log1p", "log2", "log_softmax", "logical_not", "make_loss", "max",
    "max_axis", "mean", "min", "min_axis", "moments", "negative", "norm", "ones_like", "pad", "prod", "rcbrt",
    "reciprocal", "relu", "repeat", "reshape", "reshape_like", "reverse", "rint", "round", "rsqrt", "shape_array",
    "sigmoid", "sign", "sin", "sinh", "slice", "slice_axis", "slice_like", "smooth_l1", "softmax",
    "softmax_cross_entropy", "softmin", "softsign", "space_to_depth", "split", "_split_v2", "sqrt", "square", "squeeze",
    "stack", "stop_gradient", "sum", "sum_axis", "swapaxes", "tan", "tanh", "tile", "topk", "transpose", "trunc",
    "where", "zeros_like",
    "Embedding", "RNN", "ROIPooling", "SequenceLast", "SequenceMask", "SequenceReverse", "_contrib_ROIAlign",
    "_contrib_DeformableConvolution", "_contrib_ModulatedDeformableConvolution", "_contrib_gradientmultiplier",
    "_contrib_interleaved_matmul_encdec_qk", "_contrib_interleaved_matmul_encdec_valatt", "_contrib_round_ste",
    "_contrib_sign_ste", "argsort", "batch_take", "col2im", "diag", "im2col", "one_hot", "pick", "sort", "take",
    "_arange", "_full", "_linspace", "_ones", "_zeros",
})  # fmt: skip
_PAIRS = (
    "add", "div", "equal", "greater", "greater_equal", "hypot", "lesser", "lesser_equal", "logical_and", "logical_or",
    "logical_xor", "maximum", "minimum", "minus", "mod", "mul", "not_equal", "plus", "power", "sub",
)  # fmt: skip
_REVERSED = ("rdiv", "rminus", "rmod", "rpower")
_OLD_NAMES = ("Div", "Maximum", "Minimum", "Minus", "Mul", "Plus", "Power")
_OLD_REVERSED = ("RDiv", "RMinus", "RPower")
ALLOWED = (
    _LAYERS
    | _FUNCTIONS
    | {f"broadcast_{name}" for name in _PAIRS}
    | {f"elemwise_{name}" for name in ("add", "div", "mul", "sub")}
    | {f"_{name}" for name in _PAIRS}
    | {f"_{name}_scalar" for name in (*_PAIRS, *_REVERSED)} - {"_add_scalar", "_sub_scalar"}  # these are not there
    | {f"_{name}" for name in _OLD_NAMES}
    | {f"_{name}Scalar" for name in (*_OLD_NAMES, *_OLD_REVERSED)}
)
# Outputs of those that have more than one, hidden ones among them; others say the number themselves.
_OUTPUTS = {
    "BatchNorm": 3, "BatchNorm_v1": 3, "_contrib_BatchNormWithReLU": 3, "_contrib_SyncBatchNorm": 3, "LayerNorm": 3,
    "GroupNorm": 3, "moments": 2, "topk": 2, "_contrib_box_nms": 2,
}  # fmt: skip
_COUNTED = {"SliceChannel": "num_outputs", "split": "num_outputs", "amp_multicast": "num_outputs"}


def most_outputs(operator: str, attributes: Mapping[str, str]) -> int:
    """How many outputs of a node others may take at most.

    Raises:
        ValueError: the node's attributes say a number that is none.
    """
    if operator in _COUNTED:
        return int(attributes.get(_COUNTED[operator], "1"))
    if operator == "_split_v2":
        return int(attributes.get("sections", "0")) or len(re.findall(r"\d+", attributes.get("indices", "")))
    return _OUTPUTS.get(operator, 1)
