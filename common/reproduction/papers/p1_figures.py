"""The figures of P1, and what its text leaves of them."""

from __future__ import annotations

from collections.abc import Mapping

from common.reproduction.table_plan import PaperFigure

NOT_MADE: Mapping[str, str] = {
    "figure 4": "a diagram: a shortcut connection of a ResNet",
    "figure 5": "a diagram: VGG16",
    "figure 6": "a diagram: an Inception module",
    "figure 7": "a diagram: DenseNet",
    "figure 8": "a diagram: the network; network_def of the bundles' train.yaml is it",
}

OF_PATIENT = (
    "Drawn of the first patient with all four sequences. P1's text does not say where its three slices lie, only that "
    "they are 30 mm apart: here they lie at the middle of the volume and 30 mm below and above it.",
)
OF_IMAGES = tuple(
    PaperFigure(f"p1-figure{number}", title, f"P1, figure {number}", drawing, notes=OF_PATIENT)
    for number, title, drawing in (
        (1, "the four sequences of a patient, at 90 mm", "sequences"),
        (2, "where the three slices lie", "slice places"),
        (3, "the three slices of a T2 volume", "three slices"),
    )
)

GRADE_CONFUSION = PaperFigure(
    name="p1-figure9",
    title="confusion of the final grade network",
    source="P1, figure 9",
    drawing="confusion",
    models={"final": "grade/final"},
    published={"LGG": (52, 3), "HGG": (1, 66)},
    notes=(
        "P1's text has only the errors of figure 9: 3 images of LGG taken for HGG, 1 of HGG for LGG. With them and 122 "
        "test images (a fifth of 608) a single matrix rounds to table 5: 52 and 3, 1 and 66. So 55 of the test images "
        "were of LGG and 67 of HGG, though the data were balanced: the split was not stratified.",
    ),
)

SURVIVAL_CONFUSION = PaperFigure(
    name="p1-figure10",
    title="confusion of the final survival network",
    source="P1, figure 10",
    drawing="confusion",
    models={"final": "survival/final"},
    notes=(
        "P1's text says of figure 10 that 25 images of short survivors were wrong, 23 of them as mid. No matrix of 122 "
        "images with these counts rounds to table 6. Where every printed value may be off by 0.01 there is exactly one "
        "(short 11, 23, 2; mid 8, 22, 8; long 2, 0, 46): at least one value of table 6 is not rounded, or not of this "
        "network.",
    ),
)

COMPARED = "The bars of others are the accuracies that P1's introduction gives; the figure's own are not in the text. "

GRADE_COMPARED = PaperFigure(
    name="p1-figure11",
    title="grade, beside what others printed",
    source="P1, figure 11",
    drawing="bars",
    models={"P1": "grade/final"},
    measures=("accuracy",),
    published={"Cho and Park 2017": (0.8981,), "Banerjee 2019": (0.95,), "P1": (0.97,)},
    notes=(
        COMPARED + "They are of other data sets, splits and units, so that their order says nothing. P1's \"more than "
        '2.1 %" over the best of them is a ratio, 97 / 95; the difference is 2 points.',
    ),
)

SURVIVAL_COMPARED = PaperFigure(
    name="p1-figure12",
    title="survival, beside what others printed",
    source="P1, figure 12",
    drawing="bars",
    models={"P1": "survival/final"},
    measures=("accuracy",),
    published={
        "Pei 2020, test": (0.484,),
        "Suter 2018, network": (0.515,),
        "Pei 2020, validation": (0.586,),
        "Chato and Latifi 2017": (0.625,),
        "P1": (0.65,),
    },
    notes=(
        COMPARED + "They are of recorded survival in classes of a year or so; P1's longest class is invented LGG "
        'survival, so that they are not one task. P1\'s "4.0 %" over the best of them is a ratio, 65 / 62.5; the '
        "difference is 2.5 points.",
    ),
)
