"""Which sentences do what they are meant to in a stack that stores: tried before the rounds."""

from __future__ import annotations

import shutil

from benchmarks.rounds import Bench
from benchmarks.sentences import Pool
from benchmarks.server import BenchmarkError
from benchmarks.stack import Stack

_FEWEST = 10
_SEED = 20261122
_PATIENCE = 120.0


def agreed(bench: Bench, stack: Stack) -> Pool:
    """What is left of the pool after ``stack`` has had every sentence from a newcomer.

    A sentence stays when it makes exactly one ticket as a report, none otherwise; a report is
    tried in several places. BenchmarkError when next to nothing is left.
    """
    trials = bench.pool.trials(_SEED)
    folder = bench.folder / f"{stack.name}-trial"
    server = bench.start(stack, folder)
    try:
        result = bench.send(server, [message for _, message in trials], _PATIENCE)
    finally:
        server.stop()
    if result.errors or result.answered < len(trials):
        raise BenchmarkError(
            f"{stack.name}: {result.answered} of {len(trials)} trial messages answered,"
            f" {dict(result.errors)}\n{server.tail()}"
        )
    opened = stack.tickets_by_openid(folder)
    shutil.rmtree(folder)
    wrong = {
        sentence
        for sentence, message in trials
        if opened.get(message.openid, 0) != int(message.report)
    }
    pool = bench.pool.without(wrong)
    if min(len(pool.reports), len(pool.others)) < _FEWEST:
        raise BenchmarkError(
            f"{stack.name} understands too little: {len(pool.reports)} reports and"
            f" {len(pool.others)} other sentences are left, among the wrong ones"
            f" {sorted(wrong)[:5]}"
        )
    return pool
