"""PyTorch, eager, as lib/bench measures it: `python torch_peer.py THREADS`.

One request a line on stdin, one answer a line on stdout. Times are taken here, around the call alone: the pipe is not
counted against the peer. Where onnx and onnxruntime are installed too, it quantises models for ONNX Runtime in Node,
which cannot do so itself.
"""

import functools
import importlib.util
import json
import resource
import sys
import time
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print must not come between the answers
sys.dont_write_bytecode = True  # the folder may be another user's
torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)


class BasicBlock(nn.Module):
    """He et al., arXiv 1512.03385, by torchvision's names."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.bn2(self.conv2(x))
        x += shortcut
        return functional.relu(x, inplace=True)


class Amend(nn.Module):
    """ARM (Shi & Zhu, arXiv 2103.10189, section 3), as its authors compose it."""

    def __init__(self, maps, sides):
        super().__init__()
        self.de_albino = nn.Conv2d(1, 1, 32, stride=8, bias=False)
        self.bn = nn.BatchNorm2d(maps)
        self.alpha = nn.Parameter(torch.ones(1))
        self.register_buffer("generic", torch.zeros(sides))

    def forward(self, x):
        unique = self.bn(self.amend(x).float()).mean(1)
        return unique + self.alpha * (unique.mean(0) if self.training else self.generic)

    def amend(self, x):
        """Feature arrangement and de-albino."""
        maps = functional.pixel_shuffle(x, 16)
        return torch.cat([self.de_albino(maps[:, i : i + 1]) for i in range(maps.shape[1])], 1)


# (phase, tap) of an axis: native/ops/de_albino/de_albino_math.h has the reasons.
pairs = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]


class ProductAmend(Amend):
    """The same, with feature arrangement and de-albino as one matrix product; channels-last memory is not copied."""

    def amend(self, x):
        count, channels, height, width = x.shape
        tiles = x.permute(0, 2, 3, 1).reshape(-1, 256)
        products = tiles @ kernel_by_tile(self.de_albino.weight[0, 0])
        return interleave(products.view(count, height, width, channels // 256, len(pairs) ** 2))


def kernel_by_tile(kernel):
    """(256, 25): what each value of a tile is multiplied by, for each pair of rows and pair of columns."""
    padded = functional.pad(kernel, (8, 8, 8, 8))
    firsts = [16 * tap - 8 * phase + 8 for phase, tap in pairs]
    return torch.stack([padded[i : i + 16, j : j + 16].reshape(256) for i in firsts for j in firsts], 1)


def interleave(products):
    """(N, maps, 2h - 3, 2w - 3) of (N, h, w, maps, 25)."""
    count, height, width, maps, _ = products.shape
    output = products.new_empty(count, 2 * height - 3, 2 * width - 3, maps)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        output[:, row::2, column::2] = sum_of_taps(products, row, column)
    return output.permute(0, 3, 1, 2)


def sum_of_taps(products, row_phase, column_phase):
    """The outputs whose row and column have these phases."""
    rows, columns = products.shape[1] - 1 - row_phase, products.shape[2] - 1 - column_phase
    terms = [
        products[:, row : row + rows, column : column + columns, :, i * len(pairs) + j]
        for i, (phase, row) in enumerate(pairs)
        if phase == row_phase
        for j, (other, column) in enumerate(pairs)
        if other == column_phase
    ]
    return functools.reduce(torch.add, terms)


class Network(nn.Module):
    """ResNet-18 + ARM."""

    def __init__(self, stem, classes, sides, amend):
        super().__init__()
        side, stride = {"standard": (7, 2), "medium": (3, 2), "small": (3, 1)}[stem]
        self.conv1 = nn.Conv2d(3, 64, side, stride, padding=side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, padding=1) if stem == "standard" else nn.Identity()
        widths = [64, 64, 128, 256, 512]
        for number, (inputs, width) in enumerate(zip(widths, widths[1:]), start=1):
            first = BasicBlock(inputs, width, 1 if number == 1 else 2)
            setattr(self, f"layer{number}", nn.Sequential(first, BasicBlock(width, width, 1)))
        self.arm = amend(2, sides)
        self.fc = nn.Linear(sides[0] * sides[1], classes)

    def forward(self, x):
        x = self.pool(functional.relu(self.bn1(self.conv1(x)), inplace=True))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.arm(x).flatten(1))


def read_floats(path, shape):
    return torch.from_file(path, size=torch.Size(shape).numel()).view(shape).clone()


def read_safetensors(path):
    """The description of the model, and its tensors by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    info = json.loads(header.pop("__metadata__")["model"])
    types = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[first:end], dtype=types[entry["dtype"]]).view(entry["shape"])
    return info, tensors


def read_network(path, amend=Amend):
    info, tensors = read_safetensors(path)
    network = Network(info["stem"], info["classCount"], list(tensors["arm.generic"].shape), amend)
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    lacking = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lacking or unexpected:
        raise ValueError(f"{path}: missing {lacking}, unexpected {unexpected}")
    return network.eval()


def make_amend(weights):
    values = {name: torch.tensor(value["data"]).view(value["shape"]) for name, value in weights.items()}
    amend = Amend(len(values["normWeight"]), list(values["generic"].shape))
    amend.de_albino.weight.copy_(values["kernel"].view(1, 1, 32, 32))
    amend.alpha.copy_(values["alpha"])
    amend.generic.copy_(values["generic"])
    amend.bn.weight.copy_(values["normWeight"])
    amend.bn.bias.copy_(values["normBias"])
    amend.bn.running_mean.copy_(values["normMean"])
    amend.bn.running_var.copy_(values["normVariance"])
    return amend.eval()


class Form(NamedTuple):
    """A way of telling PyTorch to make a step."""

    amend: type
    tuned: bool  # channels-last memory and the fused optimizer
    autocast: bool


forms = {  # by the names of lib/bench/training-peers.ts
    "official float32": Form(Amend, tuned=False, autocast=False),
    "tuned float32": Form(Amend, tuned=True, autocast=False),
    "tuned bfloat16": Form(Amend, tuned=True, autocast=True),
    "bfloat16, ARM as a product": Form(ProductAmend, tuned=True, autocast=True),
}


def make_step(form, network, x, labels):
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-4, fused=form.tuned)

    @torch.enable_grad()
    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=form.autocast):
            loss = functional.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def check_product(model, x):
    plain, product = (read_network(model, amend).train()(x) for amend in (Amend, ProductAmend))
    difference = (plain - product).abs().max().item()
    if not difference <= 1e-4:
        raise ValueError(f"ARM as a product differs from its definition by {difference} in the logits")


loaded = {}  # by the key that a request names: what to call


def hello():
    able = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
    return {"version": torch.__version__, "abilities": ["quantize", "writeArm"] if able else []}


def keep(key, module, x):
    loaded[key] = functools.partial(module, x)
    return {"output": module(x).flatten().tolist()}


def load(key, model, input, shape):
    return keep(key, read_network(model), read_floats(input, shape))


def load_arm(key, weights, input, shape):
    return keep(key, make_amend(weights), read_floats(input, shape))


def load_training(key, form, model, labels, input, shape):
    """Answers with the loss before the first step, in float32 whatever the form."""
    form, x, labels = forms[form], read_floats(input, shape), torch.tensor(labels)
    if form.amend is ProductAmend:
        check_product(model, x)
    network = read_network(model, form.amend).train()
    if form.tuned:
        network, x = (it.to(memory_format=torch.channels_last) for it in (network, x))
    loaded[key] = make_step(form, network, x, labels)
    return {"output": [functional.cross_entropy(network(x), labels).item()]}


def run(key, runs):
    call = loaded[key]
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return {"times": times}


def memory():
    with open("/proc/self/statm") as file:
        return {"resident": int(file.read().split()[1]) * resource.getpagesize()}


def quantize(**request):
    from onnx_files import quantize as make

    return make(**request)


def write_arm(**request):
    from onnx_files import write_arm as make

    return make(**request)


methods = {
    "hello": hello,
    "load": load,
    "loadArm": load_arm,
    "loadTraining": load_training,
    "run": run,
    "memory": memory,
    "quantize": quantize,
    "writeArm": write_arm,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"result": methods[request.pop("method")](**request)}
    except Exception as error:  # whatever it is, it is for the other side to tell
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
