"""What a module of this package says of its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.tasks.nouns import PATIENTS, Nouns
from common.tasks.published import Published


@dataclass(frozen=True)
class Prose:
    """The prose of a bundle's ``metadata.json``, under MONAI's names; ``task`` is MONAI's for the question in words.

    Its ``data_source`` is written from the registry of data sets, and ``own_data``.

    Args:
        task: the question, in a line.
        description: what the network reads and gives, whom it follows, what it is trained on.
        data_type: MONAI's word for their files.
        image_classes: the channels of an image.
        label_classes: the labels, each with its index.
        pred_classes: the logits, and what becomes of them.
        references: papers and data sets.
        own_data: what it reads in place of a data set.
        authors: of the bundle.
        copyright: of the bundle.
        intended_use: and what it must not be used for.
    """

    task: str
    description: str
    data_type: str
    image_classes: str
    label_classes: str
    pred_classes: str
    references: tuple[str, ...]
    own_data: str = "a list of your own cases"
    authors: str = "The glioma bundles maintainers"
    copyright: str = "Copyright (c) The glioma bundles maintainers"
    intended_use: str = (
        "Research on methods and their evaluation. Not a medical device, and not to be used for diagnosis or treatment."
    )


@dataclass(frozen=True)
class Task:
    """What a bundle is asked, how the answer is judged, and the words for both.

    Args:
        name: as ``evaluate.yaml`` and ``metrics.json`` (``target``) call it.
        bundle: name of the bundle's folder.
        question: ``what it reads → what it tells``, for the table in README.
        papers: that it follows, by README's names.
        cohort: the kind of cohort that it is learned from, a key of :data:`common.cohorts.reading.KINDS`.
        classes: in the order of their labels, without the background; of survival the kinds.
        label: key of a record's label, which the shortcut probe predicts.
        asked: the label as the object of *predict*.
        title: of its pages.
        key_measure: that a result is told by, as ``metrics.json`` names it.
        published: what papers printed.
        reading: how the printed numbers compare with ours, a paragraph of the page.
        nouns: for what is judged, where it is not patients, by what is split.
        apart: what is to be said of the paper's split where it, too, keeps subjects on one side; empty where it does
            not.
        prose: of ``metadata.json``.
    """

    name: str
    bundle: str = ""
    question: str = ""
    papers: tuple[str, ...] = ()
    cohort: str = "volumes"
    classes: tuple[str, ...] = ()
    label: str = "label"
    asked: str = "the class"
    title: str = "Classification"
    key_measure: str = "auc"
    published: tuple[Published, ...] = ()
    reading: str = ""
    nouns: Mapping[str, Nouns] = field(default_factory=dict)
    apart: str = ""
    prose: Prose | None = None

    def nouns_under(self, protocol: str) -> Nouns:
        """The nouns for what is judged where the split is by ``patient``, or that of the ``paper``."""
        return self.nouns.get(protocol, PATIENTS)

    def published_of(self, backbone: str | None = None) -> tuple[Published, ...]:
        """What was printed, one :class:`Published` per paper or per network that it compares.

        Args:
            backbone: of papers that compare several networks, only the one with this backbone.
        """
        return tuple(paper for paper in self.published if backbone is None or paper.backbone in (None, backbone))
