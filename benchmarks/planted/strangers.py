"""More projects with one planted disease each, in the spirit of what a stranger would try: written before the checks were asked about them."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageOps

from benchmarks.planted import code, data
from benchmarks.planted.case import Case, Write
from benchmarks.planted.sick import CANCER, DIGITS, LOSS, OWN, SUGAR, WINE, WRONG_LAST

_LAST = "num_outputs)"
_BLIND = ("model.input_ignored",)
_HELD = ("train.underfit", "model.cannot_overfit")
SETS = "split.column='set'"


def _model(name: str, where: str | Write, found: tuple[str, ...], own: str, *sets: str) -> Case:
    return Case(name, "model", where, found, own, (OWN, *sets))


def _loss(name: str, where: str | Write, found: tuple[str, ...], own: str) -> Case:
    return Case(name, "loss", where, found, own, (LOSS,))


def _training(name: str, where: str | Write, found: tuple[str, ...], *sets: str) -> Case:
    return Case(name, "optimisation", where, found, sets=sets)


MODEL = (
    _model("log-softmax over the batch", DIGITS, ("model.batch_leak",), code.net(code.MLP, "return torch.log_softmax(self.body(x), 0)")),
    _model("softmax over the batch at the end", WINE, ("model.batch_leak", WRONG_LAST), code.net(code.MLP, "return self.body(x).softmax(0)")),
    _model("view where a permutation was due", DIGITS, ("model.batch_leak",), code.net(code.MLP, "return self.body(x.flatten(1).t().reshape(len(x), -1))")),
    _model("layer norm over the batch", CANCER, ("model.batch_leak",), code.net(code.MLP, "return self.body(F.layer_norm(x.t(), (len(x),)).t())")),
    _model("a constant", DIGITS, _BLIND, code.net(code.MLP, "return self.body(x) * 0 + 1.0")),
    _model("zeros, whatever comes", CANCER, _BLIND, code.net(code.MLP, "return torch.zeros(len(x), self.body[-1].out_features)")),
    _model("only a bias", WINE, _BLIND, code.net(code.MLP, "return self.body[-1].bias.expand(len(x), -1)")),
    _model("no activation", data.circle(), _HELD, code.net("nn.Flatten(), " + code.THREE)),
    _model("no activation, pictures", DIGITS, _HELD, code.net("nn.Flatten(), " + code.FOUR)),
    _model("no activation, amounts", data.curve(), _HELD, code.net("nn.Flatten(), " + code.FOUR)),
    _model("all frozen but the last bias", DIGITS, _HELD, code.net(code.MLP, extra="self.requires_grad_(False)\nself.body[-1].bias.requires_grad_(True)")),
    _model(
        "the middle detached",
        data.curve(),
        ("model.gradient_wrong",),
        code.net(code.MLP, "for n, layer in enumerate(self.body):\n    x = layer(x).detach() if n == 3 else layer(x)\nreturn x"),
    ),
    _model(
        "through numpy",
        CANCER,
        ("model.gradient_wrong",),
        code.net(code.MLP, "x = torch.from_numpy(self.body[:3](x).detach().numpy())\nreturn self.body[3:](x)"),
    ),
    _model(
        "argmax for an answer",
        DIGITS,
        ("model.gradient_wrong", WRONG_LAST),
        code.net(code.MLP, "x = self.body(x)\nreturn F.one_hot(x.argmax(1), x.shape[1]).float()"),
    ),
    _model(
        "rounded to whole numbers",
        WINE,
        ("model.gradient_wrong", "model.vanishing_gradient"),
        code.net(code.MLP, "return self.body[2:](self.body[:2](x).round())"),
    ),
    _model("all weights zero, amounts", SUGAR, ("model.zero_init",), code.net(code.MLP, extra=code.start("w.zero_(), b.zero_()"))),
    _model("dropout 0.95 of its own", CANCER, ("train.underfit",), code.net(code.MLP.replace("nn.ReLU()", "nn.ReLU(), nn.Dropout(0.95)"))),
    _model("dropout at the very end", DIGITS, ("train.underfit",), code.net(code.MLP + ", nn.Dropout(0.9)")),
    _model("inputs times a thousand", CANCER, ("model.exploding_gradient", "model.init_loss"), code.net(code.MLP, "return self.body(1000 * x)")),
    _model("pixels as bytes", DIGITS, ("model.exploding_gradient", "model.init_loss"), code.net(code.MLP, "return self.body(255 * x + 127)")),
    _model("inputs over a million", DIGITS, ("model.input_ignored", "model.vanishing_gradient"), code.net(code.MLP, "return self.body(x / 1e6)")),
    _model("pixels over 255 once more", DIGITS, (*_BLIND, "model.dead_units"), code.net(code.CONV, "return self.body(x / 255)")),
    _model("tanh of large numbers", WINE, ("model.saturated",), code.net(code.MLP.replace("ReLU", "Tanh"), "return self.body(50 * x)")),
    _model(
        "leaky in name only", DIGITS, ("model.dead_units",), code.net(code.MLP, "x = self.body[1](x.flatten(1))\nx = F.relu(-x.abs())\nreturn self.body[3:](x)")
    ),
    _model(
        "batch norm that stays in eval mode",
        data.shapes(),
        ("model.modes_differ",),
        code.net(code.NORMED, "self.body[1].eval(), self.body[4].eval()\nreturn self.body(x)"),
    ),
    _model(
        "batch norm that stays in train mode",
        DIGITS,
        ("model.batch_leak", "train.not_reproducible"),
        code.net(code.NORMED, "self.body[1].train(), self.body[4].train()\nreturn self.body(x)"),
    ),
    _model("noise on the answers", WINE, ("train.not_reproducible",), code.net(code.MLP, "x = self.body(x)\nreturn x + torch.randn_like(x)")),
    _model("sigmoid between and after", CANCER, (WRONG_LAST,), code.net(code.MLP.replace("ReLU", "Sigmoid") + ", nn.Sigmoid()")),
    _model("outputs clamped", SUGAR, (WRONG_LAST,), code.net(code.MLP, "return self.body(x).clamp(-1, 1)")),
    _model("one output for ten classes", DIGITS, ("model.output_shape",), code.net(code.MLP.replace(_LAST, "1)"))),
    _model("outputs cut off", data.curve(), ("model.output_shape",), code.net(code.MLP, "return self.body(x)[:, 0]")),
    _model("a hidden layer of one unit", DIGITS, _HELD, code.net("nn.Flatten(), nn.Linear(size, 1), nn.ReLU(), nn.Linear(1, num_outputs)")),
    _model(
        "far too deep, no normalisation",
        DIGITS,
        ("model.vanishing_gradient",),
        code.net(code.deep("nn.Tanh()", 30, 32), extra=code.start("w.mul_(0.5)", but_last=True)),
    ),
    _model("weights a hundred times too large", SUGAR, ("model.exploding_gradient", "model.init_loss"), code.net(code.MLP, extra=code.start("w.mul_(100)"))),
    _model(
        "looks at one pixel",
        DIGITS,
        ("model.input_ignored", *_HELD),
        code.net("nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, num_outputs)", "return self.body(x.flatten(1)[:, :1])"),
    ),
)

LOSSES = (
    _loss("a sum, table", CANCER, ("model.init_loss",), code.loss("return F.binary_cross_entropy_with_logits(logits, targets, reduction='sum')")),
    _loss("a sum of squares", SUGAR, ("model.init_loss",), code.loss("return ((logits - targets) ** 2).sum()")),
    _loss("sigmoid before the logits' loss", CANCER, (WRONG_LAST,), code.loss("return F.binary_cross_entropy_with_logits(torch.sigmoid(logits), targets)")),
    _loss("softmax before the logits' loss", DIGITS, (WRONG_LAST,), code.loss("return F.cross_entropy(logits.softmax(1), targets)")),
    _loss("nll without the log", WINE, ("model.init_loss", WRONG_LAST), code.loss("return F.nll_loss(logits, targets)")),
    _loss("nll of probs", DIGITS, ("model.init_loss", WRONG_LAST), code.loss("return F.nll_loss(logits.softmax(1), targets)")),
    _loss("targets from the item before", DIGITS, ("model.init_loss",), code.loss("return F.cross_entropy(logits, targets.roll(1))")),
    _loss("the classes counted from one", WINE, ("model.init_loss",), code.loss("return F.cross_entropy(logits, (targets + 1) % logits.shape[1])")),
    _loss("a constant loss", DIGITS, ("model.init_loss",), code.loss("return (logits * 0).mean() + 2.3")),
    _loss(
        "the gradient cut",
        CANCER,
        ("model.gradient_wrong",),
        code.loss("return F.binary_cross_entropy_with_logits(logits.detach(), targets) + 0 * logits.sum()"),
    ),
    _loss("minus squares", SUGAR, ("model.init_loss",), code.loss("return -((logits - targets) ** 2).mean()")),
    _loss("errors that cancel", data.curve(), ("model.init_loss",), code.loss("return (logits - targets).mean()")),
    _loss("only the first item", DIGITS, ("model.init_loss",), code.loss("return F.cross_entropy(logits[:1], targets[:1])")),
    _loss("log of a difference", data.curve(), ("model.init_loss",), code.loss("return torch.log(logits - targets).mean()")),
    _loss("a tiny loss", DIGITS, ("model.init_loss",), code.loss("return 1e-6 * F.cross_entropy(logits, targets)")),
    _loss("squares of the softmax's inputs", CANCER, ("model.init_loss",), code.loss("return ((logits[:, 0] - targets.flatten()[:, None]) ** 2).mean()")),
)

TRAINING = (
    _training("lr a hundred times too high", CANCER, ("train.lr_too_high",), "train.lr=0.5"),
    _training("lr a hundred times too high, pictures", DIGITS, ("train.lr_too_high",), "train.lr=1.0"),
    _training("lr a thousand times too low", DIGITS, ("train.lr_too_low",), "train.lr=5e-6"),
    _training("lr a thousand times too low, amounts", data.curve(), ("train.lr_too_low",), "train.lr=2e-6"),
    _training("gradient clipped to nothing", DIGITS, ("train.lr_too_low", "train.underfit"), "train.clip=1e-6", "train.optimizer='sgd'"),
    _training("momentum without end", data.curve(), ("train.lr_too_high",), "train.momentum=0.9999", "train.optimizer='momentum'", "train.lr=0.1"),
    _training("two epochs", data.curve(), ("train.still_improving",), "train.epochs=1", "train.lr=0.002"),
    _training(
        "ten epochs at full lr", data.sales(), ("train.still_improving", "train.lr_too_low"), "train.epochs=10", "train.lr=0.0001", "train.schedule='fixed'"
    ),
    _training(
        "decay at once",
        data.sales(),
        ("train.lr_decayed_too_soon",),
        "train.schedule='multistep'",
        "train.milestones=[0.1]",
        "train.gamma=0.001",
        "train.epochs=20",
        "train.lr=0.001",
    ),
    _training(
        "an amount learnt by heart",
        data.curve(200, noise=2.0),
        ("train.overfit", "train.stopped_late"),
        "train.epochs=100",
        "train.lr=0.005",
        "train.weight_decay=0.0",
        "train.schedule='fixed'",
    ),
    Case("weight decay a thousand", "regularisation", data.curve(), ("train.underfit",), sets=("train.weight_decay=1000.0",)),
    Case("dropout 0.95", "regularisation", CANCER, ("train.underfit",), sets=("model.dropout=0.95",)),
    Case("l1 too strong, amounts", "regularisation", data.curve(), ("train.underfit",), sets=("train.l1=5.0",)),
)

DATA = (
    Case("the answer in other words", "data", data.sales(change=data.copy_target), ("data.leaking_column",), to="baseline"),
    Case("the amount before the fee", "data", data.curve(change=data.near_target), ("data.leaking_column",), to="baseline"),
    Case("answers of other rows, texts", "data", data.notes(change=data.shuffle), ("model.memorises_noise_only",)),
    Case("equal texts, other answers", "data", data.notes(change=data.contradict), ("data.conflicting_labels",), to="baseline"),
    Case("a text net that says zero", "model", data.notes(), _BLIND, code.text("x = self.words(x).mean(1) * 0"), (OWN,)),
    Case("a text net with a softmax", "model", data.notes(), (WRONG_LAST,), code.text("x = self.words(x).mean(1)", "torch.sigmoid(self.last(x))"), (OWN,)),
    Case("lr far too high, texts", "optimisation", data.notes(), ("train.lr_too_high",), sets=("train.lr=20.0",)),
    Case("answers a row too late in a third", "data", data.clusters(1200, 4, change=data.shift_part), ("data.mislabels",), to="errors"),
    Case("a tenth of the answers wrong", "data", data.clusters(1500, 4, change=data.flip_some), ("data.mislabels",), to="errors"),
    Case("half of test in train", "split", data.sales(change=data.copy_test), ("split.leak",), sets=(SETS,), to="baseline"),
    Case("val from elsewhere", "split", data.sales(change=data.shift_val), ("split.shift",), sets=(SETS,), to="baseline"),
    Case("sets cut from sorted rows", "split", data.sales(change=data.sort_sets), ("split.shift",), sets=(SETS,), to="baseline"),
    Case("a kind that train lacks", "split", data.clusters(1500, 4, change=data.keep_from_train), ("split.class_missing",), sets=(SETS,), to="baseline"),
    Case("visits of one patient on both sides", "split", data.patients(), ("split.group_leak",), to="baseline"),
    Case("the days beside it in train", "split", data.days(), ("split.time_leak",), to="baseline"),
    Case("dated rows, shuffled on purpose", "split", data.days(is_shuffled=False), ("split.time_leak",), sets=("split.time='none'",), to="baseline"),
    Case("two shops that differ", "split", data.two_shops(), ("data.source_shift",), sets=("data.sources=[{path='other.csv'}]",), to="baseline"),
)

_TURN = Image.Exif()
_TURN[274] = 6  # the EXIF tag of the orientation: turned by 90 degrees


def _looks(name: str, where: Write, *found: str) -> Case:
    return Case(name, "data", where, found, to="audit")


LOOKS = (
    _looks("some negatives", data.scans(spoil=data.each(ImageOps.invert)), "data.inverted"),
    _looks("some in the dark", data.shapes(600, data.each(lambda picture: picture.point(lambda tone: tone // 8))), "data.dark"),
    _looks("some out of focus", data.shapes(600, data.each(lambda picture: picture.filter(ImageFilter.GaussianBlur(3)))), "data.blurry", "data.low_contrast"),
    _looks("posters among stamps", data.shapes(600, data.each(lambda picture: picture.resize((96, 96)))), "data.odd_size"),
    _looks("banners", data.shapes(600, data.each(lambda picture: picture.resize((72, 12)))), "data.odd_size"),
    _looks("colour among grey", data.shapes(600, data.each(lambda picture: ImageOps.colorize(picture, "navy", "gold"))), "data.mixed_modes"),
    _looks("turned by a note", data.shapes(600, data.each(lambda picture: picture, exif=_TURN)), "data.exif_rotated"),
    _looks("saved a second time, a shade lighter", data.shapes(600, data.copy_nearly), "data.near_duplicates"),
    _looks("letters among pictures", data.shapes(600, data.lay_letters), "data.wrong_type"),
    _looks("blank pages", data.scans(spoil=data.each(lambda picture: picture.point(lambda tone: 20))), "data.low_contrast", "data.dark", "data.duplicates"),
    _looks("three zeros too many", data.sales(change=data.slip), "data.outliers"),
    _looks("words among numbers", data.sales(change=data.mix_types), "data.mixed_types"),
    _looks("divided by zero", data.sales(change=data.divide_by_zero), "data.missing_values"),
    Case("an lr beyond all numbers", "optimisation", data.sales(), ("train.diverged", "train.lr_too_high"), sets=("train.lr=1e30",)),
)

STRANGERS: tuple[Case, ...] = (*MODEL, *LOSSES, *TRAINING, *DATA, *LOOKS)
