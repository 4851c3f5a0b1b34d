import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from ignite.engine import Engine
from ignite.exceptions import NotComputableError
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from monai.handlers import MetricsSaver, from_engine
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics import ImageLabelMetrics, PointLocalization, auroc, hit_rates, per_class, point_hits
from cxr_common.networks import max_pool


def data(n=12, seed=0):
    rng = torch.Generator().manual_seed(seed)
    maps = torch.randn(n, 3, 4, 6, generator=rng)
    labels = torch.randint(0, 2, (n, 3), generator=rng).float()
    labels[0, 0], labels[1, 1] = torch.nan, -1
    boxes = torch.zeros(n, 2, 5)
    boxes[..., 4] = -1
    boxes[::2, 0] = torch.tensor([2.0, 5, 12, 16, 0])
    boxes[::3, 1] = torch.tensor([4.0, 0, 12, 23, 2])
    return maps, labels, boxes


def run(handler, batches):
    engine = Engine(lambda engine, batch: batch)
    handler.attach(engine, "m")
    engine.run(batches)
    return engine.state


def point_state(maps, boxes, **options):
    batches = [{"pred": m, "boxes": b} for m, b in split(maps, boxes)]
    return run(PointLocalization((16, 24), **options), batches)


def split(*tensors, size=5):
    return list(zip(*(t.split(size) for t in tensors), strict=True))


def test_image_label_metrics_over_batches_are_those_of_the_whole():
    maps, labels, _ = data()
    state = run(ImageLabelMetrics(pool=max_pool, labels=["A", "B", "C"]), split(maps, labels))
    expected = per_class(auroc, maps.amax((2, 3)).numpy(), labels.numpy())
    assert state.metrics["m"] == pytest.approx(expected.mean())
    assert [state.metrics[f"m_{c}"] for c in "ABC"] == pytest.approx(expected)
    assert state.metric_details["m"].shape == (1, 3)


@pytest.mark.parametrize(
    ("metric", "reference"), [("auroc", roc_auc_score), ("average_precision", average_precision_score)]
)
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_metric_and_average(metric, reference, average):
    logits, labels = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), torch.eye(4).repeat(8, 1)[:30]
    labels[:9, 1] = 1
    state = run(ImageLabelMetrics(metric, average), split(logits, labels))
    expected = reference(labels.numpy(), logits.numpy(), average=average)
    assert state.metrics["m"] == pytest.approx(expected, abs=1e-12)


def test_one_class_only_is_nan_and_no_error():
    state = run(ImageLabelMetrics(), [(torch.rand(4, 2), torch.ones(4, 2))])
    assert np.isnan(state.metrics["m"])


def test_lists_of_items_and_a_second_epoch_start_afresh():
    maps, labels, _ = data()
    handler = ImageLabelMetrics(pool=max_pool)
    batch = run(handler, split(maps, labels)).metrics["m"]
    assert run(handler, [(list(maps), list(labels))]).metrics["m"] == batch
    assert run(handler, split(maps[:6], labels[:6])).metrics["m"] != batch


def test_point_localization_is_the_pure_function():
    maps, _, boxes = data()
    heatmaps = upsample_heatmaps(maps, (16, 24))
    rows = [b[b[:, 4] >= 0].numpy() for b in boxes]
    hits = point_hits(heatmaps, [r[:, :4] for r in rows], [r[:, 4].astype(int).tolist() for r in rows])
    assert 0 < np.nansum(hits) < np.isfinite(hits).sum(), "the case must hold hits and misses"
    rates = hit_rates(hits)
    state = point_state(maps, boxes, labels=["A", "B", "C"])
    assert state.metrics["m"] == pytest.approx(rates.macro)
    np.testing.assert_array_equal(state.metric_details["m"].numpy(), hits.astype(np.float32))
    assert state.metrics["m_C"] == pytest.approx(rates.per_class[2]) and np.isnan(state.metrics["m_B"])
    micro = point_state(maps, boxes, average="micro").metrics["m"]
    assert micro == pytest.approx(rates.micro)


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")  # MetricsSaver, of images without a box
@pytest.mark.parametrize("decollate", [True, False])
def test_in_a_monai_evaluator(tmp_path, decollate):
    maps, labels, boxes = data()
    items = [{"image": m, "label": y, "boxes": b} for m, y, b in zip(maps, labels, boxes, strict=True)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(items), batch_size=5),
        network=torch.nn.Identity(),
        key_val_metric={"auroc": ImageLabelMetrics(pool=max_pool, output_transform=from_engine(["pred", "label"]))},
        additional_metrics={"point": PointLocalization((16, 24))},
        val_handlers=[MetricsSaver(str(tmp_path), metric_details="*")],
        decollate=decollate,
    )
    evaluator.run()
    expected = run(ImageLabelMetrics(pool=max_pool), split(maps, labels)).metrics["m"]
    assert evaluator.state.best_metric == pytest.approx(expected)
    assert evaluator.state.metrics["point"] == point_state(maps, boxes).metrics["m"]
    assert {p.name for p in tmp_path.iterdir()} >= {"metrics.csv", "auroc_raw.csv", "point_raw.csv"}


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="unknown metric 'roc'; choose one of auroc, average_precision"):
        ImageLabelMetrics("roc")
    with pytest.raises(ValueError, match="unknown average"):
        PointLocalization((8, 8), average="weighted")
    with pytest.raises(NotComputableError, match="at least one batch"):
        ImageLabelMetrics().compute()
    with pytest.raises(ValueError):
        run(ImageLabelMetrics(labels=["A"]), [(torch.rand(4, 2), torch.ones(4, 2))])


def worker(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/sync", rank=rank, world_size=2)
    maps, labels, boxes = data()
    part = slice(0, 7) if rank == 0 else slice(7, None)  # uneven on purpose
    image = run(ImageLabelMetrics(pool=max_pool), split(maps[part], labels[part], size=3)).metrics["m"]
    point = point_state(maps[part], boxes[part]).metrics["m"]
    torch.save((image, point), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_compute_over_all_images(tmp_path):
    mp.spawn(worker, args=(str(tmp_path),), nprocs=2)
    maps, labels, boxes = data()
    image = run(ImageLabelMetrics(pool=max_pool), split(maps, labels)).metrics["m"]
    point = point_state(maps, boxes).metrics["m"]
    for rank in (0, 1):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx((image, point))
