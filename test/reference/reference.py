"""What PyTorch answers, for comparison: python reference.py OUT_FOLDER, with torch 2.13.0 alone.

Writes checkpoints as the official ARM code (Shi & Zhu, arXiv 2103.10189, github.com/JiaweiShiCV/
Amend-Representation-Module) and torchvision name and wrap them, images.bin (uint8, N x 224 x 224 x 3), and
reference.json: the logits of those images, float32, in evaluation mode. The weights are random but seeded.
"""

import json
import pathlib
import sys
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional

count, side, classes = 6, 224, 7
mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # of ImageNet, per channel of pixel / 255
alpha = 0.7


class BasicBlock(nn.Module):
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
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet(nn.Module):
    """torchvision's names: He et al., arXiv 1512.03385, with basic blocks."""

    def __init__(self, depths, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = 64
        for number, depth in enumerate(depths, start=1):
            width = 64 * 2 ** (number - 1)
            blocks = [BasicBlock(channels, width, 1 if number == 1 else 2)]
            blocks += [BasicBlock(width, width, 1) for _ in range(depth - 1)]
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            channels = width
        self.fc = nn.Linear(512, outputs)

    def stages(self):
        return [self.conv1, self.bn1, self.relu, self.maxpool, self.layer1, self.layer2, self.layer3, self.layer4]

    def forward(self, x):
        return self.fc(nn.Sequential(*self.stages())(x).mean((2, 3)))


class Amend(nn.Module):
    def __init__(self):
        super().__init__()
        self.de_albino = nn.Conv2d(1, 1, 32, stride=8, bias=False)
        self.bn = nn.BatchNorm2d(2)
        self.alpha = nn.Parameter(torch.tensor([1.0]))

    def unique(self, maps):
        amended = torch.cat([self.de_albino(maps[:, i : i + 1]) for i in range(maps.shape[1])], 1)
        return self.bn(amended).mean(1)


class Official(nn.Module):
    def __init__(self, depths):
        super().__init__()
        self.features = nn.Sequential(*ResNet(depths, 1).stages())
        self.arrangement = nn.PixelShuffle(16)
        self.arm = Amend()
        self.fc = nn.Linear(121, classes)

    def unique(self, x):
        return self.arm.unique(self.arrangement(self.features(x)))

    def classify(self, unique, generic):
        return self.fc((unique + self.arm.alpha * generic).flatten(1))

    def forward(self, x):
        unique = self.unique(x)
        return self.classify(unique, unique.mean(0))


depths18, depths34 = [2, 2, 2, 2], [3, 4, 6, 3]


def images():
    """Smooth colours with some grain, so that no layer sees mere noise."""
    coarse = functional.interpolate(torch.rand(count, 3, 7, 7), side, mode="bicubic")
    grainy = coarse + 0.05 * torch.randn(count, 3, side, side)
    return (grainy.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def normalized(pixels):
    shaped = [torch.tensor(values).view(1, 3, 1, 1) for values in (mean, deviation)]
    return (pixels.permute(0, 3, 1, 2).float() / 255 - shaped[0]) / shaped[1]


def lived_in(network):
    """As after training: norms that moved and differ, and a classifier whose answers tell pictures apart."""
    nn.init.normal_(network.fc.weight, 0, 0.3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(normalized(images()))
    return network


def stepped(network, x):
    """The state of Adam after one real step, as a checkpoint of a training run has it."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    functional.cross_entropy(network(x), torch.arange(len(x)) % classes).backward()
    optimizer.step()
    return optimizer.state_dict()


@torch.no_grad()
def answers(network, x):
    unique = network.eval().unique(x)
    generic = unique.mean(0)
    alone = torch.cat([network.unique(x[i : i + 1]) for i in range(count)])
    # `ema` takes this batch's own mean for the constant, so that it agrees with `batch`; `alone`, a face at a time.
    return {
        "alpha": network.arm.alpha.item(),
        "generic": {"shape": list(generic.shape), "values": generic.flatten().tolist()},
        "logits": {
            "none": network.classify(unique, 0 * generic).tolist(),
            "batch": network(x).tolist(),
            "ema": network.classify(unique, generic).tolist(),
            "alone": network.classify(alone, generic).tolist(),
        },
    }


def official(depths):
    network = Official(depths)
    with torch.no_grad():
        network.arm.alpha.fill_(alpha)
    return lived_in(network)


def main(folder):
    torch.manual_seed(20)
    folder.mkdir(parents=True, exist_ok=True)
    pixels = images()
    (folder / "images.bin").write_bytes(bytes(pixels.untyped_storage()))
    x = normalized(pixels)

    first, second, expression = official(depths18), official(depths34), lived_in(ResNet(depths18, classes))
    steps = stepped(first, x)
    torch.save({"iter": 4, "model_state_dict": first.state_dict(), "optimizer_state_dict": steps},
               folder / "official18.pth")
    torch.save({"state_dict": OrderedDict((f"module.{name}", value) for name, value in second.state_dict().items())},
               folder / "official34-module.pth")
    torch.save(lived_in(ResNet(depths18, 1000)).state_dict(), folder / "resnet18.pth")
    torch.save(lived_in(ResNet(depths34, 1000)).state_dict(), folder / "resnet34.pth")
    torch.save(expression.state_dict(), folder / "gap18.pth")

    with torch.no_grad():
        plain = expression.eval()(x).tolist()
    reference = {
        "torch": torch.__version__,
        "images": {"file": "images.bin", "dtype": "uint8", "shape": list(pixels.shape)},
        "normalization": {"mean": mean, "deviation": deviation},
        "official18.pth": answers(first, x),
        "official34-module.pth": answers(second, x),
        "gap18.pth": {"logits": plain},
    }
    (folder / "reference.json").write_text(json.dumps(reference, indent=1))


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(pathlib.Path(sys.argv[1]))
