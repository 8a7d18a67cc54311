"""Figures of a show: counters, latencies, memory, drift, and reports of faults."""
