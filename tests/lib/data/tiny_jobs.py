"""Functions that worker processes run in tests."""

import os
import signal
import sys
import time


class StubbornError(Exception):
    """Cannot be unpickled: its constructor takes two arguments and hands on one."""

    def __init__(self, first, second):
        super().__init__(first)


def process_id(_) -> int:
    return os.getpid()


def talk(job):
    print("hello from a job", flush=True)
    os.write(1, b"and from below Python\n")
    return job


def raise_stubbornly(_):
    raise StubbornError("Stubborn", 2)


def work_or_die(job):
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def sleep_long(_):
    print(os.getpid(), file=sys.stderr, flush=True)
    time.sleep(600)
