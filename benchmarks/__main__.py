"""Run benchmarks by name, or all of them."""

from __future__ import annotations

import argparse

from benchmarks import aggregate, attempt_overhead, cluster, collection, generation, unused_plugin, vs_inspect

BENCHMARKS = {
    "aggregate": aggregate.measure,
    "attempt_overhead": attempt_overhead.measure,
    "attempt_setup": attempt_overhead.measure_setup,
    "first_verdict": attempt_overhead.measure_first_verdict,
    "cluster_lease": cluster.measure_lease,
    "cluster_flight": cluster.measure_flight,
    "cluster_symptoms": cluster.measure_symptoms,
    "collection": collection.measure,
    "batching": generation.measure_batching,
    "in_flight": generation.measure_in_flight,
    "replay": generation.measure_replay,
    "unused_plugin": unused_plugin.measure,
    "vs_inspect": vs_inspect.measure,
}


def main() -> int:
    """Exit status 0 when every target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar=f"{{{','.join(BENCHMARKS)}}}")
    names = parser.parse_args().names or list(BENCHMARKS)
    met = [report(name) for name in names]
    return 0 if all(met) else 1


def report(name: str) -> bool:
    """Measure and print a line."""
    result = BENCHMARKS[name]()
    print(f"{'ok  ' if result.met else 'OVER'}  {name}: {result.text}", flush=True)
    return result.met


if __name__ == "__main__":
    raise SystemExit(main())
