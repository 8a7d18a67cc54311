"""Context branch, codec and texts on a second card: hints arrive as they are made, and the host waits for none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from unittest.mock import patch

import pytest
import torch

from streamvace.model.memory_needed import ALLOCATOR_SHARE
from streamvace.model.specs import PipelineSpec, pipeline
from streamvace.model.transformer import CausalWan
from streamvace.records.model_options import ModelOptions
from streamvace.stream import wan_loading
from streamvace.stream.generator import Generator
from streamvace.stream.link import link_between
from streamvace.stream.loading import load_generator
from streamvace.stream.rehearsal import CONTROL, rehearsal_input
from tests.gpu_rehearsal.card import FakeCard
from tests.gpu_rehearsal.installed import installed, stored
from tests.gpu_rehearsal.journal import Entry, Journal
from tests.gpu_rehearsal.networks import networks_on, on_device, shallow
from tests.gpu_rehearsal.order import Order
from tests.gpu_rehearsal.test_lane import changing

SIZE = (64, 64)
TWO = ModelOptions("cuda:0", context_device="cuda:1", cuda_graphs="off")


def small(name: str, main: int, context: int) -> PipelineSpec:
    spec = shallow(pipeline(name), main, context)
    return replace(spec, steps=spec.steps[:2])


def loaded(spec: PipelineSpec, options: ModelOptions = TWO) -> Generator:
    return load_generator(spec.name, SIZE, options)


@pytest.mark.parametrize("name", ["longlive", "krea-realtime"])
def test_nothing_is_read_on_one_card_before_it_has_arrived_from_the_other(name: str) -> None:
    """Every tensor of an operation is on one card, and no memory is written while the other card uses it."""
    spec = small(name, 1, 1)
    files = stored(spec, "taehv")
    with FakeCard(cards=2) as card, installed(spec, files):
        generator = loaded(spec)
        for given in changing(generator):
            generator.step(given)
        order = Order(card.journal)
    assert {entry.stream >= 1000 for entry in order.entries} == {False, True}
    assert order.races == []


def test_a_processor_runs_the_passes_of_a_card_s_context_branch() -> None:
    """Every tensor of an operation is on the same device."""
    spec, host = small("longlive", 1, 1), torch.device("cpu")
    with FakeCard() as card:
        networks = networks_on(card, spec, "tae", torch.float32)
        networks = replace(networks, wan=on_device(host, lambda: CausalWan(spec.size), torch.float32))
        generator = Generator(spec, networks, SIZE, host, torch.float32, link=link_between(host, card.device))
        for given in changing(generator):
            generator.step(replace(given, noise_rule="sum"))  # the other rule sets the state of a real generator
    assert card.journal.count("kernel")


@cache
def steady_chunk() -> Journal:
    spec = small("longlive", 4, 2)
    files = stored(spec, "taehv")
    with FakeCard(cards=2) as card, installed(spec, files):
        generator = loaded(spec)
        for _ in range(3):
            card.journal.clear()
            generator.step(rehearsal_input(CONTROL, {}, generator.frames_wanted(), SIZE, False))
    return card.journal


def crossings(journal: Journal, way: str) -> list[Entry]:
    return [entry for entry in journal.entries if entry.kind == "between cards" and entry.name == way]


def test_the_host_waits_only_for_the_finished_frames_and_no_copy_blocks_it() -> None:
    journal = steady_chunk()
    assert [entry.line.partition(":")[0] for entry in journal.entries if entry.kind == "wait"] == ["stream/lane.py"]
    assert journal.count("upload") == 0
    assert len(crossings(journal, "0 to 1")) == 2 * 2 + 1, "tokens and timestep of each step, and the finished latents"
    assert len(crossings(journal, "1 to 0")) == 2 * 2, "a hint of each context block in each step"


def test_a_block_waits_for_its_own_hint_and_the_context_branch_for_no_block() -> None:
    journal = steady_chunk()
    order, entries = Order(journal), journal.entries
    hints = [at for at, entry in enumerate(entries) if entry.name == "1 to 0"][:2]
    first, second = (next(iter(entries[at].writes)) for at in hints)
    begun = next(at for at in range(hints[1], len(entries)) if first in dict(entries[at].tensors))
    later = next(at for at in range(begun, len(entries)) if second in dict(entries[at].tensors))
    assert order.before(hints[0], begun)
    assert not order.before(hints[1], begun), "it does not wait for the hint of a later block"
    assert order.before(hints[1], later)
    assert not order.before(begun, hints[1]), "the second hint does not wait for the blocks before it"


@pytest.mark.parametrize(
    ("name", "precision", "size", "graphs"),
    [("longlive", "bf16", (640, 368), "auto"), ("krea-realtime", "int8", (576, 320), "off")],
)
def test_each_card_takes_the_memory_that_was_asked_of_it(
    name: str, precision: str, size: tuple[int, int], graphs: str
) -> None:
    """Within 5 %, with few blocks at their real width."""
    spec = shallow(pipeline(name), main=1, context=1)
    spec = replace(spec, steps=spec.steps[:1])
    files = stored(spec, "taehv")
    asked: dict[torch.device, float] = {}
    note = lambda device, needed, what: asked.update({device: needed / (1 + ALLOCATOR_SHARE)})  # noqa: E731
    with FakeCard(cards=2) as card, installed(spec, files), patch.object(wan_loading, "check_memory", note):
        load_generator(spec.name, size, replace(TWO, precision=precision, cuda_graphs=graphs)).warm_up()
    taken = [memory.peak for memory in card.memories]
    assert list(asked.values()) == pytest.approx(taken, rel=0.05)


def test_the_start_says_what_is_left_for_control_networks(capsys: pytest.CaptureFixture[str]) -> None:
    """They run in the process of the show, whose CUDA context is on the card of the pictures."""
    spec = small("longlive", 1, 1)
    files = stored(spec, "taehv")
    with FakeCard(cards=2), installed(spec, files):
        about = loaded(spec, replace(TWO, for_controls=600_000_000)).about
    assert about["controls"] == "up to 0.6 GB of cuda:1 in a process of their own"
    written = capsys.readouterr()
    said = "cuda:1: 0.6 GB are left for control networks (depth, flow, scribble)"
    assert said in f"{written.out}{written.err}".splitlines()


def test_a_card_that_lacks_memory_is_named_with_what_it_would_hold() -> None:
    spec = small("longlive", 1, 1)
    files = stored(spec, "taehv")
    with FakeCard(cards=2) as card, installed(spec, files):
        card.memories[1].total = 1e8
        with pytest.raises(wan_loading.UserError) as refused:
            loaded(spec, replace(TWO, for_controls=500_000_000))
    assert str(refused.value).startswith(
        "the context branch of longlive at 64x64 with the codec taehv and 0.5 GB for control networks needs 0.7 GB"
    )
    assert "0.1 GB are free on cuda:1" in str(refused.value)
