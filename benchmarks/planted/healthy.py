"""Projects with nothing wrong, some of them unusual: what a check that cries wolf would fall for."""

from __future__ import annotations

from benchmarks.planted import code, data
from benchmarks.planted.case import Case, Write
from benchmarks.planted.sick import CANCER, DIGITS, LOSS, OWN, SUGAR, WINE


def _well(name: str, where: str | Write, own: str = "", *sets: str) -> Case:
    """To the end of s10: s09 and s10 judge too."""
    return Case(name, "healthy", where, (), own, sets, to="errors")


_NLL = "\n\ndef loss(logits, targets, weights=None):\n    return F.nll_loss(logits, targets)\n"
_LOG = "\n\ndef loss(logits, targets, weights=None):\n    return F.nll_loss(logits.clamp_min(1e-9).log(), targets)\n"
_RARE_COUNTS = "return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=torch.tensor([19.0]))"
_UPPER = "return torch.maximum(0.9 * (targets - logits), 0.1 * (logits - targets)).mean()"
_ATTENTION = "nn.Linear(1, 16), nn.MultiheadAttention(16, 2, batch_first=True), nn.LayerNorm(16), nn.Linear(16, num_outputs)"
_ATTEND = "a, b, c, d = self.body\nx = a(x.flatten(1)[:, :, None])\nx = c(x + b(x, x, x, need_weights=False)[0])\nreturn d(x.mean(1))"

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
    _well("sixty rows", data.clusters(60, 2, 6), ""),
    _well("twenty kinds", data.clusters(1600, 20), ""),
    _well("kinds of very unequal shares", data.clusters(2000, 4, spread=1.5, shares=0.35), ""),
    _well("one in twelve", data.clusters(2400, 2, spread=2.5, shares=0.09), ""),
    _well("a noisy amount", data.curve(noise=2.0), ""),
    _well("a wide table of few rows", data.noisy(300, 100, flips=0.0), ""),
    _well("a wide table of two hundred rows that tell", data.clusters(200, 3, 100), ""),
    _well("five folds", data.sales(400), "", "split.protocol='kfold'", "split.folds=5"),
    _well("dropout one half", DIGITS, "", "model.dropout=0.5"),
    _well("texts", data.notes(), ""),
    _well("a text net of its own", data.notes(), code.text("x = self.words(x).mean(1)"), OWN),
    _well("log-softmax and nll", DIGITS, code.net(code.MLP + ", nn.LogSoftmax(1)") + _NLL, OWN, LOSS),
    _well("softmax and the log of it", WINE, code.net(code.MLP + ", nn.Softmax(1)") + _LOG, OWN, LOSS),
    _well("circle", data.circle(), ""),
    _well("own linear net", CANCER, code.net("nn.Flatten(), nn.Linear(size, num_outputs)"), OWN),
    _well("dates that say nothing", data.sales(change=data.date_rows), ""),
    _well("days in their order", data.days(is_shuffled=False, drift=0.03), ""),
    _well("visits kept together", data.patients(300, 4, is_told=True), "", "split.group='patient'"),
    _well("two shops that are alike", data.two_shops(apart=0.0), "", "data.sources=[{path='other.csv'}]"),
    _well("sets given by a column", data.sales(change=data.give_sets), "", "split.column='set'"),
    _well("numbers of very different size", data.bundled("breast_cancer", data.widen), ""),
    _well("label smoothing of its own", DIGITS, code.loss("return F.cross_entropy(logits, targets, label_smoothing=0.1)"), LOSS),
    _well("squares of probs", CANCER, code.loss("return ((torch.sigmoid(logits) - targets) ** 2).mean()"), LOSS),
    _well("a robust loss", data.curve(), code.loss("return F.huber_loss(logits, targets)"), LOSS),
    _well("gradient clipped at one", DIGITS, "", "train.clip=1.0"),
    _well("sgd with momentum", data.shapes(), "", "train.optimizer='momentum'"),
    _well("own net with group norm and average pooling", data.shapes(), code.net(code.NORMED.replace("BatchNorm2d(", "GroupNorm(4, ")), OWN),
    _well("own net for amounts, one hidden layer", SUGAR, code.net("nn.Flatten(), nn.Linear(size, 32), nn.ReLU(), nn.Linear(32, num_outputs)"), OWN),
    _well("own net with layer norm and attention over columns", WINE, code.net(_ATTENTION, _ATTEND), OWN),
    _well("twelve thousand rows, kind by kind", data.clusters(12_000, 3, 6, spread=2.0, change=data.sort_rows), ""),
    _well("labels that few items have", data.tags(), "", "data.target=['rain', 'hail', 'fog', 'storm']"),
    _well("three in a hundred, by rank", data.payments(4_000, 0.03), "", "problem.metric='pr_auc'"),
    _well("three in a hundred, by f1", data.payments(4_000, 0.03), "", "problem.metric='f1'"),
    _well("one in twenty, which weighs nineteen", data.payments(3_000, 0.05), code.loss(_RARE_COUNTS), LOSS, "problem.metric='f1'"),
    _well("nine tenths lie below", data.curve(), code.loss(_UPPER), LOSS),
    _well("mostly zero, absolute errors", data.spending(), "", "train.loss='mae'", "problem.metric='mae'"),
    _well("one in twelve, weighed", data.clusters(2400, 2, shares=0.09), "", "train.class_weights='balanced'"),
    _well("one in twelve, drawn evenly", data.clusters(2400, 2, shares=0.09), "", "train.sampling='balanced'"),
    _well("a fifth of the rows weighs nothing", data.curve(noise=2.0, change=data.weigh), "", "data.weight='weight'"),
)
