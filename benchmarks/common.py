"""Shared by the benchmarks: command-line arguments, loading a generator, and printing figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import replace

from streamvace.doctor.hardware import processor
from streamvace.live.options import parse_size
from streamvace.model.specs import CacheRule, PipelineSpec, pipeline
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator

SELF_FORCING = replace(
    pipeline("longlive"),
    name="self-forcing",
    cache=CacheRule(window=21, sink=0),
    on_prompt_switch="none",
    default_size=(832, 480),
)
"""LongLive's network with Self-Forcing's cache, 21 latent frames and no sink: what other programs publish figures of.

A row of the benchmarks only: it has no endless positions and no weights of its own in the catalogue."""


def spec_of(name: str) -> PipelineSpec:
    """The row of the pipeline table, or SELF_FORCING. Raises UserError for another name."""
    return SELF_FORCING if name == SELF_FORCING.name else pipeline(name)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser that prints the module's docstring as its help."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def model_arguments(description: str | None) -> argparse.ArgumentParser:
    """The same with the options that `generator` reads."""
    parser = arguments(description)
    parser.add_argument("--pipeline", default="embedded")
    parser.add_argument("--size", type=parse_size, default=None, help="WIDTHxHEIGHT, the pipeline's own by default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--attention", default="auto")
    parser.add_argument("--compile", default="off")
    parser.add_argument("--json", action="store_true")
    return parser


def generator(given: argparse.Namespace) -> Generator:
    """The generator that the arguments of `model_arguments` describe."""
    model = ModelOptions(given.device, given.threads, given.precision, given.attention, compile=given.compile)
    return load_generator(given.pipeline, given.size, model)


def steady_chunks(generator: Generator) -> int:
    """The number of chunks until the cache is full and shapes no longer change."""
    return -(-generator.spec.cache.window // generator.spec.chunk) + 1


def cpu_line() -> str:
    """Processor, system and Python on one line, for benchmarks that do not load torch."""
    return f"{processor()}, {os.cpu_count()} cores | {platform.system()} | Python {platform.python_version()}"


def report(as_json: bool, hardware: str, figures: Mapping[str, object], lines: Iterable[str]) -> None:
    """Print the figures as JSON, or `lines`; the hardware comes first in both."""
    if as_json:
        print(json.dumps({"hardware": hardware, **figures}, indent=1))
    else:
        print("\n".join([hardware, *lines]))
