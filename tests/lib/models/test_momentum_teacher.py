import pytest
import torch
from torch import nn

from lib.models.momentum_teacher import MomentumTeacher


def make_student() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, bias=False))


@pytest.mark.parametrize("momentum", (0.0, 0.5, 0.99, 0.999, 1.0))
def test_after_n_steps_it_is_the_moving_average(momentum):
    student = make_student()
    teacher, naive = MomentumTeacher(student, momentum), [p.detach().double() for p in student.parameters()]
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        with torch.no_grad():
            for parameter in student.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator))
        teacher.follow(student)
        pairs = zip(naive, student.parameters(), strict=True)
        naive = [momentum * average + (1 - momentum) * own.double() for average, own in pairs]
    for found, expected in zip(teacher.parameters(), naive, strict=True):
        torch.testing.assert_close(found.double(), expected.detach(), rtol=1e-6, atol=1e-6)


def test_it_stays_where_it_is_beside_a_student_that_does():
    student = make_student()
    teacher = MomentumTeacher(student, 0.999)
    for _ in range(100):
        teacher.follow(student)
    assert all(map(torch.equal, teacher.parameters(), student.parameters()))


def test_no_gradient_reaches_it_or_goes_through_it():
    student, images = make_student(), torch.randn(5, 3, requires_grad=True)
    teacher = MomentumTeacher(student, 0.9)
    assert not teacher(images).requires_grad
    (student(images) * teacher(images)).sum().backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.requires_grad for p in student.parameters())  # the copy alone was frozen


def test_its_batch_norm_collects_what_it_sees_itself():
    student = make_student()
    teacher = MomentumTeacher(student, 0.9)
    student(torch.randn(8, 3) + 5)
    teacher.follow(student)
    own = teacher.copy[1]
    assert not own.running_mean.any()  # not the student's
    teacher(torch.randn(8, 3))
    assert own.running_mean.any() and own.num_batches_tracked == 1


def test_a_momentum_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match=r"momentum 1\.5 of the teacher"):
        MomentumTeacher(make_student(), 1.5)
