"""Files for ONNX Runtime that only Python can make, with onnx and onnxruntime."""

import logging

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.getLogger().setLevel(logging.ERROR)  # each weight that is kept as it is would be a warning


class Pictures(CalibrationDataReader):
    def __init__(self, name, pictures):
        self.batches = iter([{name: pictures[i : i + 1]} for i in range(len(pictures))])

    def get_next(self):
        return next(self.batches, None)


def quantize(model, output, input, shape):
    """Quantise and dequantise nodes around int8, weights by channel: what ONNX Runtime's own guide advises on x86."""
    pictures = numpy.fromfile(input, dtype=numpy.float32).reshape(shape)
    prepared = f"{output}.prepared"
    quant_pre_process(model, prepared, skip_symbolic_shape=True)
    name = onnx.load(prepared).graph.input[0].name
    quantize_static(
        prepared,
        output,
        Pictures(name, pictures),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return {}


def write_arm(output, weights):
    """ARM alone, by its definition: pixel shuffle, one kernel for every map, norm, mean, sharing affinity."""
    values = {name: numpy.array(w["data"], numpy.float32).reshape(w["shape"]) for name, w in weights.items()}
    maps = len(values["normWeight"])
    constants = {
        "kernel": numpy.repeat(values["kernel"][None, None], maps, axis=0),
        "shared": values["alpha"] * values["generic"],
        **{name: values[name] for name in ("normWeight", "normBias", "normMean", "normVariance")},
        "axes": numpy.array([1], numpy.int64),
    }
    norm = ["amended", "normWeight", "normBias", "normMean", "normVariance"]
    nodes = [
        helper.make_node("DepthToSpace", ["features"], ["maps"], blocksize=16, mode="CRD"),
        helper.make_node("Conv", ["maps", "kernel"], ["amended"], strides=[8, 8], group=maps),
        helper.make_node("BatchNormalization", norm, ["normed"], epsilon=1e-5),
        helper.make_node("ReduceMean", ["normed", "axes"], ["unique"], keepdims=0),
        helper.make_node("Add", ["unique", "shared"], ["amending"]),
    ]
    graph = helper.make_graph(
        nodes,
        "arm",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 256 * maps, None, None])],
        [helper.make_tensor_value_info("amending", TensorProto.FLOAT, ["N", None, None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, output)
    return {}
