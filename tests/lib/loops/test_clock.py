import time

import pytest
import torch

from lib.loops.clock import Clock


def test_speed_counts_images_and_waiting_but_not_what_is_aside():
    clock = Clock(seconds_before=100.0)
    for _ in range(2):
        with clock.waiting():
            time.sleep(0.05)
        time.sleep(0.05)
        clock.count(torch.zeros(4, 3, 1, 2, 2))
    with clock.aside():
        time.sleep(0.6)
    line = clock.take()
    # 24 images in 0.2 s, later on a busy machine; 30 a second if the time aside were counted.
    assert 40 < line["images_per_second"] <= 120
    assert line["data_wait_share"] == pytest.approx(0.5, abs=0.3)
    assert line["time"] > 100.8
    time.sleep(0.01)
    assert clock.take()["images_per_second"] == 0
