"""Finding images that are copies of each other: rotated, flipped, cropped, rescaled, brightened or saved anew.

Where a data set has no patient names, as Br35H (paper P2), a split must at least keep groups of copies together:
it is then copy-safe, which is less than patient-safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from common.cohorts.identical_files import identical_pairs
from common.copies.fingerprints import Fingerprint, fingerprint_file
from common.copies.groups import CopyPair, CopyReport
from common.copies.pair_comparison import compare_all
from common.errors import DatasetError, KnobError, Problem
from common.records import Record

THRESHOLD = 0.82
"""In the sample of Br35H it finds the groups of the truth and no others; different phantoms stay below 0.80."""

IDENTICAL = "identical file"


def search_copies(
    records: Sequence[Record], threshold: float = THRESHOLD, workers: int | None = None, progress: bool = False
) -> CopyReport:
    """Find copies among the images of a cohort.

    Every image is read once. An index proposes pairs by their content, whatever its position; each is then laid over
    the other by an affine fit, and counts as a copy if the two correlate by at least ``threshold``. For n images this
    takes in the order of n^1.5 steps.

    Args:
        records: with a unique ``subject`` and the path of its ``image``.
        threshold: from 0 to 1.
        workers: threads; by default one for each core that this job may use.
        progress: show a progress bar.

    Returns:
        All compared pairs with their scores; those from ``threshold`` up count as copies.

    Raises:
        DatasetError: with every image that cannot be read, and every subject that occurs twice.
        KnobError: the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise KnobError(Problem(f"{threshold} is not a correlation", "threshold", "Choose from 0 to 1, such as 0.82."))
    images = _list_images(records)
    if not images:
        return CopyReport({}, (), threshold)
    workers = workers or cpu_count()
    with threadpool_limits(1, user_api="blas"):  # many small products: threads of their own would only wait
        fingerprints = _read_all(list(images.values()), workers, progress)
        compared = dict.fromkeys(identical_pairs(list(images.values())), (1.0, IDENTICAL))
        compared |= compare_all(fingerprints, compared, workers, progress)
    names = list(images)
    pairs = [CopyPair(names[first], names[second], *found) for (first, second), found in compared.items()]
    return CopyReport(images, sorted(pairs, key=lambda pair: (-pair.score, pair)), threshold)


def _list_images(records: Sequence[Record]) -> dict[str, str]:
    images: dict[str, str] = {}
    problems = []
    for record in records:
        if record["subject"] in images:
            what = f"subject {record['subject']} occurs twice"
            problems.append(Problem(what, record["image"], "Give every image a name of its own."))
        images[record["subject"]] = str(record["image"])
    if problems:
        raise DatasetError(problems)
    return images


def _read_all(paths: Sequence[str], workers: int, progress: bool) -> list[Fingerprint]:
    """Raises DatasetError with every file that cannot be read."""
    fingerprints, problems = [], []
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(_read_one, paths)
        for result in tqdm(results, "Reading images", len(paths), leave=False, unit="image", disable=not progress):
            if isinstance(result, Fingerprint):
                fingerprints.append(result)
            else:
                problems += result
    if problems:
        raise DatasetError(problems)
    return fingerprints


def _read_one(path: str) -> Fingerprint | list[Problem]:
    try:
        return fingerprint_file(path)
    except DatasetError as error:
        return list(error.problems)
