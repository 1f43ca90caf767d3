"""Show a result: a structured report as text, a segmentation over the images it was made from as a picture.

python apps/monai_deploy/show.py <report>.dcm
python apps/monai_deploy/show.py <segmentation>.dcm --study <folder of the study> --output picture.png
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from pydicom import Dataset

SLICES = 3


def lines_of(item: Dataset, depth: int = 0) -> Iterator[str]:
    """The content of a report, an item a line."""
    values = {
        "TEXT": lambda: item.TextValue,
        "NUM": lambda: item.MeasuredValueSequence[0].NumericValue,
        "CODE": lambda: item.ConceptCodeSequence[0].CodeMeaning,
        "UIDREF": lambda: item.UID,
        "IMAGE": lambda: item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
    }
    name = item.ConceptNameCodeSequence[0].CodeMeaning
    value = values.get(item.ValueType)
    yield f"{'  ' * depth}{name}" + (f": {value()}" if value else "")
    for child in item.get("ContentSequence", ()):
        yield from lines_of(child, depth + 1)


def read_layers(segmentation: Path, study: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The images of the first series that the segmentation refers to, (slice, y, x), its labels, and their names."""
    import highdicom
    import numpy as np
    import pydicom

    read = highdicom.seg.segread(segmentation)
    wanted = {item.ReferencedSOPInstanceUID for item in read.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    images = [pydicom.dcmread(file) for file in study.rglob("*") if file.is_file()]
    images = [image for image in images if image.SOPInstanceUID in wanted]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    labels = read.get_pixels_by_source_instance(
        [image.SOPInstanceUID for image in images],
        combine_segments=True,
        ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )
    return (
        np.stack([image.pixel_array for image in images]),
        labels,
        [item.SegmentLabel for item in read.SegmentSequence],
    )


def draw(segmentation: Path, study: Path, output: Path) -> None:
    """Draw the slices with most of the segmentation."""
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    from common.reports.pictures import REGION_COLOURS

    colours = list(REGION_COLOURS.values())
    images, labels, names = read_layers(segmentation, study)
    chosen = np.sort(np.argsort((labels > 0).sum(axis=(1, 2)))[-SLICES:])
    figure, axes = pyplot.subplots(2, SLICES, figsize=(2.2 * SLICES, 4.9), layout="constrained")
    for (above, below), level in zip(axes.T, chosen, strict=True):
        for axis in (above, below):
            axis.imshow(images[level], cmap="gray", vmax=np.percentile(images, 99.8))
            axis.set_axis_off()
        above.set_title(f"slice {level + 1} of {len(images)}", fontsize=8)
        below.imshow(
            np.ma.masked_equal(labels[level], 0),
            cmap=ListedColormap(colours),
            vmin=1,
            vmax=len(colours),
            alpha=0.6,
            interpolation="nearest",
        )
    patches = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=False)]
    figure.legend(handles=patches, loc="outside lower center", fontsize=7, ncols=SLICES, frameon=False)
    figure.savefig(output, dpi=100)


def main(argv: list[str] | None = None) -> int:
    """Show one result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path, help="DICOM file that the application wrote")
    parser.add_argument("--study", type=Path, help="folder of the study, for a segmentation")
    parser.add_argument("--output", type=Path, default=Path("segmentation.png"), help="picture (default: %(default)s)")
    arguments = parser.parse_args(argv)
    import pydicom

    result = pydicom.dcmread(arguments.result)
    if result.Modality == "SR":
        print("\n".join(lines_of(result)))
    elif arguments.study is None:
        parser.error("--study is needed for a segmentation")
    else:
        draw(arguments.result, arguments.study, arguments.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
