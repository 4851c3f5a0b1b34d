"""Public data sets in their genuine layout, a few phantoms as images: what recipes are exercised on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_tools.prepare.datasets.stanford import FINDINGS
from cxr_tools.prepare.run_lengths import encode_coco, encode_siim
from tests.image_files import dicom_dataset, save_dicom

SIDE = 96


def phantom_picture(index: int, side: int = SIDE) -> np.ndarray:
    """(rows, columns) uint8."""
    picture = make_phantom(7, index, PhantomConfig(size=side)).image
    return (np.asarray(picture) * 255).round().astype(np.uint8)


def write_nih(root: Path, train: int = 12, test: int = 6) -> None:
    """NIH ChestX-ray14: both tables, both lists, images in images_001/images; every test image has a box."""
    header = (
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    )
    findings = ("Cardiomegaly", "Mass|Effusion", "No Finding", "Infiltration")
    (root / "images_001" / "images").mkdir(parents=True)
    rows, boxes, lists = [header], [], {"train_val_list.txt": [], "test_list.txt": []}
    for n in range(train + test):
        name = f"{n:08d}_000.png"
        Image.fromarray(phantom_picture(n)).save(root / "images_001" / "images" / name)
        found = findings[n % 4]
        rows.append(f"{name},{found},0,{n},58,M,PA,{SIDE},{SIDE},0.14,0.14")
        lists["train_val_list.txt" if n < train else "test_list.txt"].append(name)
        if n >= train and found != "No Finding":
            boxes.append(f"{name},{found.split('|')[0].replace('ation', 'ate')},10,12,40,30")
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (root / "BBox_List_2017.csv").write_text("\n".join(boxes) + "\n", encoding="utf-8")
    for name, lines in lists.items():
        (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_chexpert(root: Path, train: int = 8, valid: int = 6, test: int = 4) -> None:
    """CheXpert-v1.0-small with masks of CheXlocalize on valid and test images."""
    folder = root / "CheXpert-v1.0-small"
    columns = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", *FINDINGS]
    first = 1
    for split, count in (("train", train), ("valid", valid), ("test", test)):
        rows, masks = [",".join(columns)], {}
        for n in range(first, first + count):
            path = f"{split}/patient{n:05d}/study1/view1_frontal.jpg"
            (folder / path).parent.mkdir(parents=True)
            Image.fromarray(phantom_picture(n)).save(folder / path)
            present = {"Cardiomegaly": n % 2, "Pleural Effusion": (n + 1) % 2, "Lung Opacity": 1}
            values = [str(float(present.get(name, 0))) for name in FINDINGS]
            rows.append(",".join([f"CheXpert-v1.0-small/{path}", "Male", "60", "Frontal", "PA", "0.0", *values]))
            masks[f"patient{n:05d}_study1_view1_frontal"] = {
                ("Airspace Opacity" if name == "Lung Opacity" else name): _runs(bool(present.get(name)), n)
                for name in ("Cardiomegaly", "Pleural Effusion", "Lung Opacity", "Edema")
            }
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        if split != "train":
            kind = {"valid": "val", "test": "test"}[split]
            (root / f"gt_segmentations_{kind}.json").write_text(json.dumps(masks), encoding="utf-8")
        first += count


def _runs(present: bool, n: int) -> dict[str, object]:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    if present:
        mask[20 + n % 5 : 60, 30:70] = True
    return {"size": [SIDE, SIDE], "counts": encode_coco(mask)}


def write_siim(root: Path, count: int = 20) -> None:
    """SIIM-ACR: train-rle.csv and a DICOM tree; every second image has a mask."""
    rows = ["ImageId, EncodedPixels"]
    for n in range(count):
        name = f"1.2.276.0.{n + 1}"
        path = root / "dicom-images-train" / f"1.2.3.{n}" / f"1.2.4.{n}" / f"{name}.dcm"
        path.parent.mkdir(parents=True)
        save_dicom(path, dicom_dataset(phantom_picture(n), PatientID=f"patient{n}", ViewPosition="PA"))
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[50:80, 20:60] = True
        rows.append(f"{name}, {encode_siim(mask) if n % 2 else '-1'}")
    (root / "train-rle.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_vindr(root: Path, train: int = 10, test: int = 4) -> None:
    """VinDr-CXR of PhysioNet: tables in annotations/, DICOM files in train/ and test/."""
    (root / "annotations").mkdir(parents=True)
    names = ("Cardiomegaly", "Pleural effusion", "No finding")
    for split, count in (("train", train), ("test", test)):
        reader = "rad_id," if split == "train" else ""
        boxes, labels = (
            [f"image_id,{reader}class_name,x_min,y_min,x_max,y_max"],
            [f"image_id,{reader}{','.join(names)}"],
        )
        (root / split).mkdir()
        for n in range(count):
            image = f"{split}{n:04d}"
            save_dicom(root / split / f"{image}.dicom", dicom_dataset(phantom_picture(n), ViewPosition="PA"))
            name = names[n % 3]
            for who in ("R1,", "R2,", "R3,") if reader else ("",):
                boxes.append(f"{image},{who}{name}," + (",,," if name == "No finding" else "20,30,70,60"))
                labels.append(f"{image},{who}" + ",".join(str(int(other == name)) for other in names))
        (root / "annotations" / f"annotations_{split}.csv").write_text("\n".join(boxes) + "\n", encoding="utf-8")
        (root / "annotations" / f"image_labels_{split}.csv").write_text("\n".join(labels) + "\n", encoding="utf-8")
