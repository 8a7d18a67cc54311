"""The model of costs meets what others have published, and says what a card would do."""

from __future__ import annotations

import pytest

from streamvace.costs.cards import CARDS, find_card
from streamvace.costs.chunk import Job
from streamvace.costs.estimate import CAPTURED, EAGER, LAUNCH_S, chunk_seconds, memory_bytes, seconds
from streamvace.costs.published import FIGURES, Figure
from streamvace.costs.tables import markdown
from streamvace.costs.work import Work
from streamvace.model.specs import pipeline

ALLOWED = 0.25
CARD = {card.name: card for card in CARDS}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda row: f"{row.system}-{row.card}-{row.milliseconds:.0f}")
def test_the_model_meets_every_published_figure(figure: Figure) -> None:
    assert figure.estimate == pytest.approx(figure.milliseconds, rel=ALLOWED), figure.source


def test_a_captured_step_is_never_slower_and_a_small_one_is_bound_by_its_launches() -> None:
    small, large = Work(kernels=1000), Work(products=1e15, kernels=1000)
    card = CARD["h100"]
    assert seconds(small, card, EAGER) == pytest.approx(1000 * LAUNCH_S)
    assert seconds(small, card, CAPTURED) < seconds(small, card, EAGER)
    assert seconds(large, card, CAPTURED) == seconds(large, card, EAGER) > 1


def test_the_card_with_the_longer_name_is_found_first_and_a_new_one_by_its_architecture() -> None:
    assert find_card("NVIDIA H100 PCIe", (9, 0), 114) == (CARD["h100 pcie"], "")
    assert find_card("NVIDIA H100 80GB HBM3", (9, 0), 132) == (CARD["h100"], "")
    laptop, line = find_card("NVIDIA GeForce RTX 5090 Laptop GPU", (12, 0), 82)
    assert "82 multiprocessors" in line
    assert laptop.products == pytest.approx(CARD["rtx 5090"].products * 82 / 170)
    future, line = find_card("NVIDIA RTX 7090", (14, 0), 200)
    assert future.capability == CARDS[-1].capability
    assert "capability 14.0" in line


def test_memory_is_weights_cache_and_a_working_share() -> None:
    longlive, krea = (Job(pipeline(name), (832, 480)) for name in ("longlive", "krea-realtime"))
    assert 13e9 < memory_bytes(longlive) < 16e9
    assert 40e9 < memory_bytes(krea) < 55e9
    assert memory_bytes(krea, 1) < 0.7 * memory_bytes(krea)
    assert memory_bytes(longlive) > memory_bytes(Job(pipeline("longlive"), (416, 240)))


def test_two_cards_are_faster_but_not_twice() -> None:
    job = Job(pipeline("longlive"), (832, 480), control=True)
    alone = chunk_seconds(job, CARD["h100"])
    assert 0.5 < chunk_seconds(Job(job.spec, job.size, control=True, cards=2), CARD["h100"]) / alone < 0.8


def test_the_tables_have_a_row_for_every_figure_and_a_card_that_is_too_small_says_what_is_needed() -> None:
    text = markdown()
    assert all(row.source in text for row in FIGURES)
    assert "| krea-realtime 832x480, eager | needs " in text
