"""The papers that several tasks cite: those that they follow, P1 to P5, and those of BraTS."""

from __future__ import annotations

P1 = (
    "Valbuena Rubio S, García-Ordás MT, García-Olalla Olivera O, Alaiz-Moretón H, González-Alonso MI, Benítez-Andrades "
    "JA. Survival and grade of the glioma prediction using transfer learning. PeerJ Computer Science 9:e1723 (2023). "
    "https://doi.org/10.7717/peerj-cs.1723"
)
P2 = (
    "Jardim AG, Becker CDL, Pianoski TA, Botelho VR. Evaluation of transfer learning for brain tumor detection in "
    "medical images."
)
P3 = (
    "Sathiyamoorthy D, Vaidyanathan S. Brain Tumor Tissue Segmentation and Survivability Prediction in BraTS 2020 MRI "
    "Scans. Columbia University."
)
P4 = (
    "Harkude GA. Deep Spatio-spatial Models for Classifying Brain Tumors in MR Images. BMS Institute of Technology and "
    "Management."
)
P5 = (
    "Kaymak A, Demir Mİ. Classification of Brain Tumors in Multi-Modal MR Images Using Deep Spatio-Spatial Model. Gazi "
    "University, Ankara (poster on MGMT promoter methylation with ResNet-18)."
)
BRATS = (
    "Menze BH, et al. The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS). IEEE Transactions on Medical "
    "Imaging 34(10), 1993-2024 (2015). https://doi.org/10.1109/TMI.2014.2377694"
)
BRATS_LABELS = (
    "Bakas S, et al. Advancing The Cancer Genome Atlas glioma MRI collections with expert segmentation labels and "
    "radiomic features. Scientific Data 4, 170117 (2017). https://doi.org/10.1038/sdata.2017.117"
)
BRATS_CHALLENGE = (
    "Bakas S, et al. Identifying the Best Machine Learning Algorithms for Brain Tumor Segmentation, Progression "
    "Assessment, and Overall Survival Prediction in the BRATS Challenge. https://arxiv.org/abs/1811.02629"
)
