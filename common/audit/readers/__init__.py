"""Splits as people write them down: nnU-Net's, MONAI's and Decathlon's lists, our own, tables, folders of sides."""
