from itertools import count

from tools.bench.turns import take_turns


def test_ways_follow_each_other_in_every_turn():
    order, clock = [], count()
    ways = {"a": lambda: order.append("a"), "b": lambda: order.append("b") or next(clock)}
    times = take_turns(ways, 2, lambda: float(next(clock)))
    assert order == ["a", "b", "a", "b"]
    assert times == {"a": [1000.0, 1000.0], "b": [2000.0, 2000.0]}
