"""Projects with nothing wrong, some of them unusual: what a check that cries wolf would fall for."""

from __future__ import annotations

from benchmarks.planted import code, data
from benchmarks.planted.case import Case, Write
from benchmarks.planted.sick import CANCER, DIGITS, LOSS, OWN, SUGAR, WINE


def _well(name: str, where: str | Write, own: str = "", *sets: str) -> Case:
    return Case(name, "healthy", where, (), own, sets)


HEALTHY: tuple[Case, ...] = (
    _well("digits", DIGITS),
    _well("breast cancer", CANCER),
    _well("wine", WINE),
    _well("diabetes", SUGAR),
    _well("sales", data.sales()),
    _well("an amount", data.curve()),
    _well("shapes", data.shapes()),
    _well("own mlp", DIGITS, code.net(code.MLP), OWN),
    _well("own conv net", data.shapes(), code.net(code.CONV), OWN),
    _well("own net with batch norm", DIGITS, code.net(code.NORMED), OWN),
    _well("own net with dropout one half", CANCER, code.net(code.MLP.replace("nn.ReLU()", "nn.ReLU(), nn.Dropout(0.5)")), OWN),
    _well("own net with tanh", WINE, code.net(code.MLP.replace("ReLU", "Tanh")), OWN),
    _well("own net ends in log-softmax", DIGITS, code.net(code.MLP + ", nn.LogSoftmax(1)"), OWN),
    _well("last layer starts at zero", DIGITS, code.net(code.MLP, extra="self.body[-1].weight.data.zero_()\nself.body[-1].bias.data.zero_()"), OWN),
    _well(
        "residual branches start at zero",
        data.curve(),
        code.net(
            code.FOUR,
            "a, b, c, d = self.body\nx = a(x)\nreturn d(x + c(F.relu(b(x))))",
            extra="self.body[2].weight.data.zero_()\nself.body[2].bias.data.zero_()",
        ),
        OWN,
    ),
    _well("frozen first layer", DIGITS, code.net(code.MLP, extra="self.body[1].requires_grad_(False)"), OWN),
    _well(
        "gelu and layer norm, by functions",
        CANCER,
        code.net("nn.Linear(size, 64), nn.LayerNorm(64), nn.Linear(64, num_outputs)", "a, b, c = self.body\nreturn c(F.gelu(b(a(x))))"),
        OWN,
    ),
    _well(
        "a focal loss", DIGITS, code.loss("each = F.cross_entropy(logits, targets, reduction='none')\nreturn ((1 - torch.exp(-each)) ** 2 * each).mean()"), LOSS
    ),
    _well("a quantile loss", data.curve(), code.loss("apart = targets - logits\nreturn torch.maximum(0.6 * apart, -0.4 * apart).mean()"), LOSS),
    _well("three of four alike", data.sales(2000, lambda frame, draw: frame[(frame["target"] == "no") | (draw.random(len(frame)) < 0.3)]), ""),
    _well("deep with normal start", DIGITS, code.net(code.deep("nn.ReLU()", 4), extra=code.start("nn.init.kaiming_normal_(w), b.zero_()", but_last=True)), OWN),
    _well("lr somewhat low", DIGITS, "", "train.lr=0.003"),
)
