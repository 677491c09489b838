import collections

import pytest
import torch

from lib.models.embedding_queue import EmbeddingQueue


def test_it_starts_with_directions():
    torch.testing.assert_close(EmbeddingQueue(6, 5).rows.norm(dim=1), torch.ones(6))


def test_the_oldest_rows_leave_first():
    queue, naive = EmbeddingQueue(12, 2), collections.deque(maxlen=12)
    naive.extend(queue.read().tolist())
    for number in range(25):  # round and round, with batches of several sizes
        size = (4, 2, 6, 12, 3)[number % 5]
        rows = torch.full((size, 2), float(number)) + torch.arange(size)[:, None] / 100
        queue.push(rows)
        naive.extend(rows.tolist())
        oldest_first = queue.rows.roll(-int(queue.position), dims=0)
        torch.testing.assert_close(oldest_first, torch.tensor(list(naive)))


def test_what_was_read_does_not_change():
    queue = EmbeddingQueue(4, 3)
    read = queue.read()
    before = read.clone()
    queue.push(torch.ones(2, 3))
    assert torch.equal(read, before) and not torch.equal(queue.read(), before)


def test_it_goes_on_from_its_state():
    queue, other = EmbeddingQueue(6, 2), EmbeddingQueue(6, 2)
    queue.push(torch.ones(2, 2))
    other.load_state_dict(queue.state_dict())
    for each in (queue, other):
        each.push(torch.zeros(2, 2))
    assert torch.equal(queue.rows, other.rows) and queue.position == other.position == 4


@pytest.mark.parametrize("size", [3, 8])
def test_a_batch_that_does_not_fit_in_is_refused(size):
    with pytest.raises(ValueError, match=f"queue of {size} embeddings is not a multiple of the batch of 5"):
        EmbeddingQueue(size, 2).push(torch.ones(5, 2))


def test_an_empty_queue_is_refused():
    with pytest.raises(ValueError, match="queue_size must be positive"):
        EmbeddingQueue(0, 2)
