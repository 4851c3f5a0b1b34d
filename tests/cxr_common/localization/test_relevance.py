from __future__ import annotations

from ignite.engine import Engine, Events

from cxr_common.localization import MultiscaleClassifier, TensorBoardRelevance, relevance_figure


class Writer:
    def __init__(self):
        self.scalars, self.figures = {}, {}

    def add_scalar(self, tag, value, step):
        self.scalars[tag, step] = value

    def add_figure(self, tag, figure, step):
        self.figures[tag, step] = figure


def test_every_epoch_writes_every_weight_as_it_is_then():
    network, writer = MultiscaleClassifier(2, backbone="resnet18", stages=(2, 3)), Writer()
    engine = Engine(lambda *_: None)
    TensorBoardRelevance(writer, network, ["A", "B"]).attach(engine)

    @engine.on(Events.EPOCH_STARTED(once=2))
    def _():
        network.relevance_logits.data[0, 0] = 100

    engine.run([0], max_epochs=2)
    assert writer.scalars["relevance A/stride 16", 1] == 0.5
    assert writer.scalars["relevance A/stride 16", 2] == 1
    assert writer.scalars["relevance B/stride 32", 2] == 0.5
    assert set(writer.figures) == {("relevance", 1), ("relevance", 2)}


def test_the_plot_names_classes_stages_and_values():
    relevance = {"Nodule": {"stride 4": 0.75, "stride 8": 0.25}, "Heart": {"stride 4": 0.1, "stride 8": 0.9}}
    axes = relevance_figure(relevance).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Nodule", "Heart"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["stride 4", "stride 8"]
    assert [t.get_text() for t in axes.texts] == ["0.75", "0.25", "0.10", "0.90"]
