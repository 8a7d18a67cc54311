"""What moving a desk does to the show."""

from __future__ import annotations

from streamvace.dmx.personality import channels, size
from streamvace.dmx.player import Player

AT = {channel.name: channel.at for channel in channels("8_bit")}
CUES = ("dusk", "dawn", "noon")


class Desk:
    """A desk with faders by the names of the functions, and the show's player."""

    def __init__(self) -> None:
        self.player = Player("8_bit")
        self.levels = bytearray(size("8_bit"))

    def set(self, **levels: int) -> dict[str, object]:
        """Move faders (`cue__go=255`); what is sent, by name."""
        for name, level in levels.items():
            self.levels[AT[name.replace("__", "/")] - 1] = level
        sent = self.player.take(bytes(self.levels), CUES)
        return {address.removeprefix("/streamvace/"): arguments[0] for address, arguments in sent}


def test_a_desk_at_zero_does_not_wipe_the_look() -> None:
    assert Desk().set() == {}


def test_faders_below_a_closed_enable_channel_change_nothing() -> None:
    desk = Desk()
    desk.set()
    assert desk.set(context_scale=255, enable=127) == {}
    assert not desk.player.enabled


def test_when_the_enable_channel_comes_up_every_fader_counts_but_no_trigger_fires() -> None:
    desk = Desk()
    desk.set(context_scale=255, cue__go=255)
    sent = desk.set(enable=128)
    assert desk.player.enabled
    assert sent["context_scale"] == 2.0
    assert sent["blackout"] is False
    assert "cue/go" not in sent
    steered = [each for each in channels("8_bit") if each.row is not None and not each.presses]
    assert len(sent) == len(steered)


def test_then_only_what_moves_is_sent_so_that_other_surfaces_keep_the_rest() -> None:
    desk = Desk()
    desk.set(enable=255)
    assert desk.set() == {}
    assert desk.set(blackout=200) == {"blackout": True}
    assert desk.set(blackout=255) == {"blackout": True}
    assert desk.set(enable=130) == {}


def test_when_the_enable_channel_goes_down_everything_stays_and_comes_back_with_it() -> None:
    desk = Desk()
    desk.set(enable=255)
    assert desk.set(enable=0, context_scale=255) == {}
    assert desk.set(enable=255)["context_scale"] == 2.0


def test_a_trigger_fires_once_when_its_channel_comes_up_through_128() -> None:
    desk = Desk()
    desk.set(enable=255)
    assert desk.set(cue__go=127) == {}
    assert desk.set(cue__go=128) == {"cue/go": True}
    assert desk.set(cue__go=255) == {}
    assert desk.set(cue__go=128) == {}
    assert desk.set(cue__go=0) == {}
    assert desk.set(cue__go=255) == {"cue/go": True}


def test_a_trigger_that_is_up_when_the_desk_appears_does_not_fire() -> None:
    desk = Desk()
    assert "cue/go" not in desk.set(enable=255, cue__go=255)


def test_a_trigger_that_comes_up_together_with_the_enable_channel_fires() -> None:
    desk = Desk()
    desk.set()
    assert desk.set(enable=255, cue__go=255)["cue/go"] is True


def test_the_cue_of_a_number_is_recalled_when_the_next_channel_comes_up() -> None:
    desk = Desk()
    desk.set(enable=255)
    assert desk.set(**{"cue number": 2}) == {}
    assert desk.set(cue__recall=255) == {"cue/recall": "dawn"}
    desk.set(cue__recall=0, **{"cue number": 0})
    assert desk.set(cue__recall=255) == {}


def test_a_number_without_a_cue_is_sent_on_and_refused_by_the_show() -> None:
    desk = Desk()
    desk.set(enable=255)
    desk.set(**{"cue number": 9})
    assert desk.set(cue__recall=255) == {"cue/recall": "9"}


def test_after_the_desk_was_forgotten_its_faders_count_anew() -> None:
    desk = Desk()
    desk.set(enable=255, context_scale=255)
    desk.player.forget()
    assert not desk.player.enabled
    assert desk.set()["context_scale"] == 2.0


def test_a_universe_that_ends_before_the_fixture_leaves_the_rest_at_zero() -> None:
    player = Player("8_bit")
    sent = dict(player.take(b"\xff", CUES))
    assert sent["/streamvace/mod/4/low"] == (-1.0,)
