import threading
import time

import pytest

from cxr_common.findings.writer_pool import WriterPool


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_results_come_in_the_order_of_the_jobs_and_in_the_callers_thread(threads):
    taken, callers = [], set()

    def take(result):
        taken.append(result)
        callers.add(threading.current_thread())

    pool = WriterPool(threads, take)
    for number in range(12):
        pool.submit(lambda number=number: time.sleep(0.002 * (12 - number)) or number)
    pool.finish()
    assert taken == list(range(12))
    assert callers == {threading.current_thread()}


def test_jobs_run_beside_the_caller_and_few_of_them_wait():
    taken, started, go_on = [], [], threading.Event()

    def job(number):
        started.append(number)
        assert go_on.wait(20)
        return number

    pool = WriterPool(2, taken.append)
    for number in range(3):
        pool.submit(lambda number=number: job(number))
    assert taken == [] and set(started) <= {0, 1}
    threading.Timer(0.05, go_on.set).start()
    pool.submit(lambda: job(3))  # the fourth waits for the first
    assert taken[:1] == [0]
    pool.finish()
    assert taken == [0, 1, 2, 3]


def test_it_can_be_used_again_after_the_end():
    taken = []
    pool = WriterPool(1, taken.append)
    for number in range(2):
        pool.submit(lambda number=number: number)
        pool.finish()
    assert taken == [0, 1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("writer")]
