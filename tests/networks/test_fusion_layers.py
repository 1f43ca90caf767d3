from __future__ import annotations

import pytest
import torch
from torch import nn

from common.networks.fusion import PatientBatchNorm, clinical_layers


def test_several_patients_are_normalised_as_pytorch_does() -> None:
    torch.manual_seed(0)
    ours, theirs = PatientBatchNorm(3), nn.BatchNorm1d(3)
    for _ in range(3):
        batch = torch.randn(5, 3) * 2 + 1
        torch.testing.assert_close(ours(batch), theirs(batch))
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)
    batch = torch.randn(1, 3)
    torch.testing.assert_close(ours.eval()(batch), theirs.eval()(batch))


def test_one_patient_is_normalised_by_the_running_statistics() -> None:
    layer = PatientBatchNorm(2, eps=0.0)
    layer.running_mean, layer.running_var = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 9.0])
    one = torch.tensor([[5.0, -4.0]], requires_grad=True)
    out = layer(one)
    assert out.tolist() == [[2.0, -2.0]]
    out.sum().backward()
    assert one.grad is not None
    torch.testing.assert_close(one.grad, torch.tensor([[1 / 2, 1 / 3]]))
    assert (layer.running_mean.tolist(), int(layer.num_batches_tracked)) == ([1.0, 2.0], 0)
    with pytest.raises(ValueError, match="more than 1 value"):
        nn.BatchNorm1d(2)(one)  # which is why


def test_it_is_synchronised_between_gpus() -> None:
    network = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(PatientBatchNorm(2)))
    assert type(network[0]) is nn.SyncBatchNorm


def test_no_units_leave_the_clinical_values_as_they_are() -> None:
    values = torch.rand(2, 3)
    assert clinical_layers(3, (), "relu")(values) is values
