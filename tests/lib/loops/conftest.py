"""What several tests of the loop need."""

import resource
import signal

import pytest


@pytest.fixture
def limited_files():
    """Let no file grow beyond 100 kB: the nearest to a full disk that any machine can do."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)
