"""Projects with one planted disease each."""

from __future__ import annotations

from benchmarks.planted import code, data
from benchmarks.planted.case import Case, Write

OWN = "model.use='my_code:Net'"
LOSS = "train.loss='my_code:loss'"
DIGITS, CANCER, WINE, SUGAR = "sklearn:digits", "sklearn:breast_cancer", "sklearn:wine", "sklearn:diabetes"


def _model(name: str, where: str | Write, found: str, own: str, *sets: str) -> Case:
    return Case(name, "model", where, (found,), own, (OWN, *sets))


def _loss(name: str, where: str | Write, found: str, own: str) -> Case:
    return Case(name, "loss", where, (found,), own, (LOSS,))


WRONG_LAST = "model.wrong_last_layer"
MODEL = (
    _model("softmax twice", DIGITS, WRONG_LAST, code.net(code.MLP, "return self.body(x).softmax(1)")),
    _model("softmax twice, conv", data.shapes(), WRONG_LAST, code.net(code.CONV + ", nn.Softmax(1)")),
    _model("sigmoid before cross-entropy", CANCER, WRONG_LAST, code.net(code.MLP, "return torch.sigmoid(self.body(x))")),
    _model("sigmoid before softmax", WINE, WRONG_LAST, code.net(code.MLP + ", nn.Sigmoid()")),
    _model("relu at the end of a regression", SUGAR, WRONG_LAST, code.net(code.MLP + ", nn.ReLU()")),
    _model("tanh at the end of a regression", data.curve(), WRONG_LAST, code.net(code.MLP + ", nn.Tanh()")),
    _model("tanh before softmax", DIGITS, WRONG_LAST, code.net(code.CONV, "return torch.tanh(self.body(x))")),
    _model("no last bias", DIGITS, WRONG_LAST, code.net(code.MLP.replace("num_outputs)", "num_outputs, bias=False)"))),
    _model("no last bias, table", data.bundled("breast_cancer"), WRONG_LAST, code.net(code.MLP.replace("num_outputs)", "num_outputs, bias=False)"))),
    _model("all weights zero", DIGITS, "model.zero_init", code.net(code.MLP, extra=code.start("w.zero_(), b.zero_()"))),
    _model("all weights alike", WINE, "model.zero_init", code.net(code.MLP, extra=code.start("w.fill_(0.02), b.zero_()"))),
    _model("all kernels alike", data.shapes(), "model.zero_init", code.net(code.CONV, extra=code.start("w.fill_(0.05), b.zero_()"))),
    _model("dead from the start", DIGITS, "model.dead_units", code.net(code.MLP, extra=code.start("b.fill_(-50.0)", but_last=True))),
    _model(
        "dead kernels",
        data.shapes(),
        "model.dead_units",
        code.net(
            "nn.Conv2d(input_shape[0], 32, 3)",
            "x = F.relu(self.body(x))\nreturn self.last(x.amax((2, 3)))",
            extra="self.last = nn.Linear(32, num_outputs)\nself.body[0].bias.data.fill_(-100.0)",
        ),
    ),
    _model("saturated tanh", CANCER, "model.saturated", code.net(code.MLP.replace("ReLU", "Tanh"), extra=code.start("w.normal_(0, 5.0)", but_last=True))),
    _model(
        "saturated sigmoid",
        DIGITS,
        "model.saturated",
        code.net(
            "nn.Flatten(), " + code.THREE,
            "a, b, c, d = self.body\nreturn d(torch.sigmoid(c(torch.sigmoid(b(a(x))))))",
            extra=code.start("w.normal_(0, 8.0)", but_last=True),
        ),
    ),
    _model("deep sigmoids", DIGITS, "model.vanishing_gradient", code.net(code.deep("nn.Sigmoid()", 10))),
    _model(
        "deep, far too small",
        data.curve(),
        "model.vanishing_gradient",
        code.net(code.deep("nn.ReLU()", 7), extra=code.start("w.normal_(0, 0.005), b.zero_()", but_last=True)),
    ),
    _model("deep sigmoids, table", WINE, "model.vanishing_gradient", code.net(code.deep("nn.Sigmoid()", 14, 32))),
    _model("exploding", DIGITS, "model.exploding_gradient", code.net(code.deep("nn.ReLU()", 6, 128), extra=code.start("w.normal_(0, 1.0)", but_last=True))),
    _model("exploding kernels", data.shapes(), "model.exploding_gradient", code.net(code.STACK, extra=code.start("w.normal_(0, 1.0)", but_last=True))),
    _model("hot last layer", WINE, "model.init_loss", code.net(code.MLP, extra="self.body[-1].weight.data.normal_(0, 3.0)")),
    _model(
        "softmax over the batch",
        DIGITS,
        "model.batch_leak",
        code.net(code.MLP, "for layer in self.body[:-1]:\n    x = layer(x)\nreturn self.body[-1](x * x.softmax(0) * len(x))"),
    ),
    _model("mean of the batch taken off", CANCER, "model.batch_leak", code.net(code.MLP, "return self.body(x - 0.5 * x.mean(0))")),
    _model(
        "norm by the batch in eval mode",
        data.shapes(),
        "model.batch_leak",
        code.net(code.NORMED.replace("Norm2d(32)", "Norm2d(32, track_running_stats=False)")),
    ),
    _model("sum along the batch", data.curve(), "model.batch_leak", code.net(code.MLP, "return self.body(x + 0.1 * x.cumsum(0))")),
    _model("input times zero", DIGITS, "model.input_ignored", code.net(code.MLP, "return self.body(x * 0)")),
    _model("ones for the input", CANCER, "model.input_ignored", code.net(code.MLP, "return self.body(torch.ones_like(x))")),
    _model("input over a thousand", DIGITS, "model.input_ignored", code.net(code.MLP, "return self.body(x / 1000)")),
    _model("one output too many", DIGITS, "model.output_shape", code.net(code.MLP.replace("num_outputs)", "num_outputs + 1)"))),
    _model("an axis too many", data.curve(), "model.output_shape", code.net(code.MLP, "return self.body(x)[:, :, None]")),
    _model(
        "detached features",
        DIGITS,
        "model.gradient_wrong",
        code.net(code.MLP, "for layer in self.body[:-1]:\n    x = layer(x)\nreturn self.body[-1](x.detach())"),
    ),
    _model(
        "features without gradient",
        data.shapes(),
        "model.gradient_wrong",
        code.net(code.CONV, "with torch.no_grad():\n    x = self.body[:-1](x)\nreturn self.body[-1](x)"),
    ),
    _model(
        "a wrong backward",
        CANCER,
        "model.gradient_wrong",
        code.net(code.THREE, "a, b, c = self.body\nreturn c(Gate.apply(b(Gate.apply(a(x)))))").replace("\n\nclass Net", code.WRONG_BACKWARD + "\n\nclass Net"),
    ),
    _model("dropout that never ends", DIGITS, "train.not_reproducible", code.net(code.MLP, "return self.body(F.dropout(x, 0.3))")),
    _model(
        "weights from another generator",
        WINE,
        "train.not_reproducible",
        code.net(code.MLP, extra=code.start("w.copy_(torch.from_numpy(np.random.default_rng().normal(0, 0.1, w.shape)))")),
    ),
    _model(
        "layers in a list",
        DIGITS,
        "model.vanishing_gradient",
        code.net(
            "nn.Linear(64, num_outputs)",
            "x = x.flatten(1)\nfor layer in self.hidden:\n    x = layer(x).relu()\nreturn self.body(x)",
            extra="self.hidden = [nn.Linear(size, 64), nn.Linear(64, 64)]",
        ),
    ),
    _model(
        "statistics that never move",
        data.shapes(),
        "model.modes_differ",
        code.net(
            code.NORMED.replace("Norm2d(16)", "Norm2d(16, momentum=0.0)").replace("Norm2d(32)", "Norm2d(32, momentum=0.0)"), "return self.body(20 * x + 30)"
        ),
    ),
    _model("dropout 0.99", DIGITS, "train.underfit", code.net(code.MLP.replace("nn.ReLU()", "nn.ReLU(), nn.Dropout(0.99)"))),
)

LOSSES = (
    _loss("wrong sign", DIGITS, "model.init_loss", code.loss("return -F.cross_entropy(logits, targets)")),
    _loss("wrong sign, table", CANCER, "model.init_loss", code.loss("return F.logsigmoid(logits * (2 * targets - 1)).mean()")),
    _loss("a sum", DIGITS, "model.init_loss", code.loss("return F.cross_entropy(logits, targets, reduction='sum')")),
    _loss("each item with every other", data.curve(), "model.init_loss", code.loss("return ((logits[:, 0] - targets) ** 2).mean()")),
    _loss("a wrong backward of the loss", WINE, "model.gradient_wrong", code.loss("return Cost.apply(logits, targets)", before=code.WRONG_LOSS_BACKWARD)),
    _loss("probs are due", DIGITS, WRONG_LAST, code.loss("return F.nll_loss(torch.log(logits), targets)")),
    _loss(
        "probs are due, table",
        CANCER,
        WRONG_LAST,
        code.loss("return -(targets * logits.clamp_min(1e-7).log() + (1 - targets) * (1 - logits).clamp_min(1e-7).log()).mean()"),
    ),
)

TRAINING = (
    Case("lr far too high", "optimisation", DIGITS, ("train.lr_too_high",), sets=("train.lr=30.0",)),
    Case("lr too high, table", "optimisation", CANCER, ("train.lr_too_high",), sets=("train.lr=5.0", "train.optimizer='adam'")),
    Case("lr too high, sgd", "optimisation", data.curve(), ("train.lr_too_high",), sets=("train.lr=100.0", "train.optimizer='sgd'")),
    Case("lr far too low", "optimisation", DIGITS, ("train.lr_too_low",), sets=("train.lr=1e-7",)),
    Case("lr too low, sgd", "optimisation", data.sales(), ("train.lr_too_low",), sets=("train.lr=1e-5", "train.optimizer='sgd'")),
    Case(
        "decay too soon",
        "optimisation",
        DIGITS,
        ("train.lr_decayed_too_soon",),
        sets=("train.schedule='multistep'", "train.milestones=[0.03, 0.05]", "train.gamma=0.01", "train.lr=0.001", "train.epochs=10"),
    ),
    Case(
        "decay too soon, table",
        "optimisation",
        data.curve(),
        ("train.lr_decayed_too_soon",),
        sets=("train.schedule='exponential'", "train.gamma=1e-30", "train.lr=0.002", "train.epochs=30"),
    ),
    Case("ended too soon", "optimisation", data.curve(), ("train.still_improving",), sets=("train.schedule='fixed'", "train.lr=0.002", "train.epochs=6")),
    Case(
        "trained too long",
        "optimisation",
        data.noisy(1500, 40),
        ("train.stopped_late", "train.overfit"),
        sets=("train.schedule='fixed'", "train.lr=0.003", "train.epochs=60"),
    ),
    Case("decay of the weights far too strong", "regularisation", DIGITS, ("train.underfit",), sets=("train.weight_decay=50.0",)),
    Case("weights decayed away, table", "regularisation", data.sales(), ("train.underfit",), sets=("train.weight_decay=200.0",)),
    Case("l1 far too strong", "regularisation", WINE, ("train.underfit",), sets=("train.l1=10.0",)),
    Case("dropout 0.98", "regularisation", DIGITS, ("train.underfit",), sets=("model.dropout=0.98",)),
    Case(
        "nothing regularises",
        "regularisation",
        data.noisy(1500, 60),
        ("train.overfit",),
        sets=("train.weight_decay=0.0", "model.dropout=0.0", "train.epochs=30"),
    ),
)

DATA = (
    Case("a column knows the answer", "data", data.sales(change=data.leak), ("data.leaking_column",), to="baseline"),
    Case("a column knows the kind", "data", data.bundled("wine", data.leak), ("data.leaking_column",), to="baseline"),
    Case("rows are numbered", "data", data.sales(change=data.name_rows), ("data.id_column",), to="split"),
    Case("most of a column is missing", "data", data.bundled("breast_cancer", data.lose), ("data.missing_values",), to="baseline"),
    Case("one column stands still", "data", data.bundled("diabetes", data.hold_still), ("data.constant_column",), to="split"),
    Case("equal rows, other answers", "data", data.sales(change=data.contradict), ("data.conflicting_labels",), to="baseline"),
    Case("equal rows", "data", data.curve(change=data.repeat), ("data.duplicates",), to="split"),
    Case("a kind with three rows", "data", data.sales(change=data.make_rare), ("data.rare_class",), to="baseline"),
    Case("one kind for almost all", "data", data.sales(2500, data.unbalance), ("data.imbalance",), to="split"),
    Case("answers of other rows", "data", data.sales(change=data.shuffle), ("model.memorises_noise_only",)),
    Case("answers a row too late", "data", data.bundled("wine", data.shift_rows), ("model.memorises_noise_only",)),
    Case("pictures in other folders", "data", data.shapes(spoil=data.mix_up), ("model.memorises_noise_only",)),
    Case("amounts of other rows", "data", data.curve(change=data.shuffle), ("model.memorises_noise_only",)),
    Case("torn files", "data", data.shapes(spoil=data.tear), ("data.corrupt_item",), to="baseline"),
    Case("empty files", "data", data.shapes(spoil=data.empty), ("data.empty_item",), to="baseline"),
    Case("equal rows in two sets", "split", data.sales(change=data.repeat), ("split.leak",), sets=("split.group_by=''",), to="baseline"),
    Case("a val set of a dozen", "split", data.sales(60), ("split.val_too_small",), sets=("split.protocol='holdout'",), to="baseline"),
)

SICK: tuple[Case, ...] = (*MODEL, *LOSSES, *TRAINING, *DATA)
