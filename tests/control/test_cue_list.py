"""The cues of a running show, and their file: order, restarts, hands in the file, and what cannot be written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_file import CueFile, built_in_cues, open_cues
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue, parse
from streamvace.control.fades import Fade
from streamvace.control.parameters import Parameters
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from tests.control.coerced import coerced, plain
from tests.links import needs_links

SCHEMA = osc_schema.by_address()
SCALE = "/streamvace/context_scale"


def cue(name: str, scale: float = 1.0, seconds: float = 0.0) -> Cue:
    return Cue(name, coerced({SCALE: scale}), Fade(seconds))


def quiet() -> Reporter:
    return Reporter(lambda line: None)


def test_go_takes_one_after_the_other_and_begins_again() -> None:
    cues = CueList((cue("a"), cue("b")), (cue("built in"), cue("a")))
    assert cues.names == ("a", "b", "built in")
    assert (cues.current, cues.following) == ("", "a")
    assert [cues.go().name for _ in range(4)] == ["a", "b", "built in", "a"]
    cues.recall("built in")
    assert cues.following == "a"


def test_back_takes_the_one_before_and_goes_on_where_a_deleted_cue_was() -> None:
    cues = CueList((cue("a"), cue("b"), cue("c")))
    assert [cues.back().name for _ in range(4)] == ["c", "b", "a", "c"]
    cues.recall("b")
    cues.delete("b")
    assert cues.back().name == "a"
    with pytest.raises(UserError, match="no cues yet"):
        CueList().back()


def test_a_cue_that_stands_by_is_the_next_one_and_changes_nothing_until_then() -> None:
    cues = CueList((cue("a"), cue("b"), cue("c")))
    cues.recall("a")
    cues.stand_by("c")
    assert (cues.current, cues.following) == ("a", "c")
    assert cues.go().name == "c"
    assert cues.following == "a", "the list goes on after it"
    cues.stand_by("b")
    cues.recall("a")
    assert cues.following == "b", "a recall ends the standby: this is the one after a"
    cues.stand_by("c")
    cues.delete("c")
    assert cues.following == "b"
    with pytest.raises(UserError, match="there is no cue 'x'; there are 'a', 'b'"):
        cues.stand_by("x")


def test_go_with_no_cues_and_a_name_that_is_none_say_so() -> None:
    with pytest.raises(UserError, match="no cues yet"):
        CueList().go()
    with pytest.raises(UserError, match=r"there is no cue 'tunel'; there are 'tunnel', 'dusk'$"):
        CueList((cue("tunnel"), cue("dusk"))).recall("tunel")


def test_a_store_replaces_its_namesake_in_place_and_keeps_its_note_and_times() -> None:
    saved: list[tuple[Cue, ...]] = []
    before = Cue("a", coerced({SCALE: 1.0}), Fade(4.0, "ease"), {SCALE: "exponential"}, "a note")
    cues = CueList((before, cue("b")), save=saved.append)
    stored = cues.store("a", coerced({SCALE: 0.5}))
    assert (stored.values, stored.fade, stored.curves, stored.note) == (
        coerced({SCALE: 0.5}),
        Fade(4.0, "ease"),
        {SCALE: "exponential"},
        "a note",
    )
    assert cues.names == ("a", "b")
    assert cues.store("a", coerced({SCALE: 0.5}), 9.0).fade == Fade(9.0, "ease")
    cues.store("c", coerced({SCALE: 0.1}))
    assert (cues.names, cues.current, cues.following) == (("a", "b", "c"), "c", "a")
    assert [found.name for found in saved[-1]] == ["a", "b", "c"]


def test_storing_over_a_built_in_cue_makes_it_yours_and_deleting_gives_it_back() -> None:
    cues = CueList((), (cue("look", 0.2),))
    with pytest.raises(UserError, match="Built-in look; can't be deleted"):
        cues.delete("look")
    cues.store("look", coerced({SCALE: 0.9}))
    assert cues.recall("look").values == coerced({SCALE: 0.9})
    cues.delete("look")
    assert cues.recall("look").values == coerced({SCALE: 0.2})


def test_after_a_delete_go_goes_on_where_it_was() -> None:
    cues = CueList((cue("a"), cue("b"), cue("c")))
    cues.recall("b")
    cues.delete("b")
    assert cues.following == "c"
    cues.recall("c")
    cues.delete("a")
    assert cues.following == "c"


def test_cues_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "media" / "cues.json"
    cues, file = open_cues(path, "none", SCHEMA, quiet())
    assert cues.names == ()
    cues.store("dusk \u00e4\u6f22", coerced({SCALE: 0.25, "/streamvace/prompts": (("a", 0.5),)}), 3.0)
    cues.store("gone", coerced({SCALE: 0.25}))
    cues.delete("gone")
    file.close()
    again, file = open_cues(path, "none", SCHEMA, quiet())
    assert again.names == ("dusk \u00e4\u6f22",)
    found = again.recall("dusk \u00e4\u6f22")
    assert (plain(found.values), found.fade) == ({SCALE: 0.25, "/streamvace/prompts": (("a", 0.5),)}, Fade(3.0))
    file.close()
    assert [each.name for each in path.parent.iterdir()] == ["cues.json"], "nothing half written is left"


def test_a_file_that_is_wrong_is_refused_at_the_start_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cues.json"
    text = '{"cues": [{"name": "dusk", "values": {"context_scale": 9}}]}'
    path.write_text(text)
    with pytest.raises(UserError, match=r"cues.json, cue 1 \('dusk'\): context_scale takes one float 0..2, got 9"):
        open_cues(path, "none", SCHEMA, quiet())
    assert path.read_text() == text


@pytest.mark.parametrize("data", [b"\xff\xfe{\0", b"\x80"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cues.json"
    path.write_bytes(data)
    with pytest.raises(UserError, match="not UTF-8"):
        open_cues(path, "none", SCHEMA, quiet())


def test_what_notepad_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cues.json"
    path.write_bytes(b'\xef\xbb\xbf{\r\n"cues": [{"name": "a"}]\r\n}\r\n')
    assert open_cues(path, "none", SCHEMA, quiet())[0].names == ("a",)


def test_what_somebody_else_wrote_meanwhile_is_kept_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "cues.json"
    path.write_text('{"cues": [{"name": "a"}]}')
    said: list[str] = []
    cues, file = open_cues(path, "none", SCHEMA, Reporter(said.append))
    theirs = '{"cues": [{"name": "edited by hand"}]}'
    path.write_text(theirs)
    cues.store("b", coerced({SCALE: 1.0}))
    file.close()
    assert (tmp_path / "cues.json.bak1").read_text() == theirs
    assert [each.name for each in parse(path.read_text(), SCHEMA, "x")] == ["a", "b"]
    assert "cues.json.bak1" in said[-1]


def test_a_file_edited_by_hand_is_taken_when_asked_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cues.json"
    said: list[str] = []
    cues, file = open_cues(path, "none", SCHEMA, Reporter(said.append))
    commands = Commands(Parameters(), cues, lambda: file.load(cues.replace))
    cues.store("b", coerced({SCALE: 1.0}))
    path.write_text('{"cues": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}')
    commands.changes("/streamvace/cue/load", (0.0,))
    file.close()
    assert cues.names == ("b",), "a button that is let go"
    cues, file = open_cues(path, "none", SCHEMA, Reporter(said.append))
    commands = Commands(Parameters(), cues, lambda: file.load(cues.replace))
    cues.recall("b")
    path.write_text('{"cues": [{"name": "b"}, {"name": "new"}]}')
    commands.changes("/streamvace/cue/load", ())
    path_was = path.read_text()
    file.close()
    assert (cues.names, cues.following) == (("b", "new"), "new")
    assert path.read_text() == path_was
    cues, file = open_cues(path, "none", SCHEMA, Reporter(said.append))
    path.write_text("{")
    file.load(cues.replace)
    file.close()
    assert cues.names == ("b", "new")
    assert "cues.json isn't valid JSON" in said[-1]
    assert "the cues are unchanged" in said[-1]


def test_what_cannot_be_written_is_said_and_the_next_store_tries_again(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.write_text("a file where the folder should be")
    said: list[str] = []
    reporter = Reporter(said.append)
    file = CueFile(folder / "cues.json", SCHEMA, reporter)
    file.write((cue("a"),))
    file.write((cue("b"),))
    file.close()
    assert "cues are not written to" in said[-1]
    folder.unlink()
    file = CueFile(folder / "cues.json", SCHEMA, reporter)
    file.write((cue("b"),))
    file.close()
    assert [each.name for each in parse((folder / "cues.json").read_text(), SCHEMA, "x")] == ["b"]


@needs_links
def test_a_link_planted_where_the_cues_are_written_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / f".cues.json.{os.getpid()}.part").symlink_to(tmp_path / "planted")
    file = CueFile(tmp_path / "cues.json", SCHEMA, Reporter(lambda line: None))
    file.write((cue("a"),))
    file.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["cues.json"]


def test_the_looks_that_ship_with_a_pipeline_are_cues() -> None:
    assert built_in_cues("longlive", SCHEMA) == ()
    looks = built_in_cues("embedded", SCHEMA)
    assert len({look.name for look in looks}) == len(looks) >= 24


def test_every_look_that_ships_sets_the_screen_so_that_none_is_left_of_the_look_before() -> None:
    looks = built_in_cues("embedded", SCHEMA)
    screens = [str(look.values["/streamvace/output/screen"].value) for look in looks]
    assert screens.count("none") >= 16
    row = SCHEMA["/streamvace/output/screen"]
    assert set(screens) == set(row.choices), "each screen has a look"
    drawn = [look for look, screen in zip(looks, screens, strict=True) if screen != "none"]
    assert all("/streamvace/output/screen_cells" in look.values for look in drawn)
    assert all("/streamvace/output/screen_mix" in look.values for look in drawn)


class Rehearsal(RuleBasedStateMachine):
    """A cue list against a plain dictionary and a cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: tuple[Cue, ...] = ()
        self.cues = CueList((), (cue("built in"),), self._save)
        self.own: list[str] = []

    def _save(self, cues: tuple[Cue, ...]) -> None:
        self.saved = cues

    @property
    def all(self) -> list[str]:
        return [*self.own, *(["built in"] if "built in" not in self.own else [])]

    names = st.sampled_from(["a", "b", "c", "built in"])

    @rule(name=names, scale=st.floats(0, 2))
    def store(self, name: str, scale: float) -> None:
        self.cues.store(name, coerced({SCALE: scale}))
        if name not in self.own:
            self.own.append(name)
        assert self.cues.recall(name).values == coerced({SCALE: scale})

    @rule(name=names)
    def delete(self, name: str) -> None:
        if name in self.own:
            self.cues.delete(name)
            self.own.remove(name)
        else:
            with pytest.raises(UserError):
                self.cues.delete(name)

    @rule(name=names)
    def recall(self, name: str) -> None:
        if name in self.all:
            assert self.cues.recall(name).name == name
        else:
            with pytest.raises(UserError):
                self.cues.recall(name)

    @rule()
    def go(self) -> None:
        wanted = self.cues.following
        assert self.cues.go().name == wanted == self.cues.current

    @invariant()
    def the_list_is_in_order_and_what_is_saved_is_what_there_is(self) -> None:
        assert list(self.cues.names) == self.all
        assert [each.name for each in self.saved] == self.own
        if self.cues.current in self.all:
            position = (self.all.index(self.cues.current) + 1) % len(self.all)
            assert self.cues.following == self.all[position]


TestRehearsal = Rehearsal.TestCase
TestRehearsal.settings = settings(max_examples=60, stateful_step_count=25)


class Edited:
    """Three cues of the user and a built-in one, on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.saved: list[tuple[str, ...]] = []
        own = (cue("a"), cue("b", seconds=4.0), cue("c"))
        self.cues = CueList(own, (cue("look"),), lambda cues: self.saved.append(_names(cues)), lambda: self.now_ns)


def _names(cues: tuple[Cue, ...]) -> tuple[str, ...]:
    return tuple(cue.name for cue in cues)


@pytest.fixture
def edited() -> Edited:
    return Edited()


def test_a_renamed_cue_keeps_its_place_its_values_and_the_stage(edited: Edited) -> None:
    cues = edited.cues
    cues.recall("b")
    cues.rename("b", "  dusk ")
    assert (cues.names, cues.current, cues.following) == (("a", "dusk", "c", "look"), "dusk", "c")
    assert cues.recall("dusk").fade == Fade(4.0)
    assert edited.saved == [("a", "dusk", "c")]
    for name, new, why in (
        ("a", "c", "already"),
        ("a", "look", "already"),
        ("look", "x", "Built-in"),
        ("x", "y", "no cue"),
    ):
        with pytest.raises(UserError, match=why):
            cues.rename(name, new)


def test_a_cue_is_moved_to_a_place_and_go_follows_the_new_order(edited: Edited) -> None:
    cues = edited.cues
    cues.recall("a")
    cues.move("c", 1)
    assert (cues.names, cues.following) == (("c", "a", "b", "look"), "b")
    cues.move("c", 3)
    assert cues.names == ("a", "b", "c", "look")
    for place in (0, 4):
        with pytest.raises(UserError, match=f"1 to 3, got {place}"):
            cues.move("a", place)


def test_a_fade_time_is_set_and_the_rest_of_the_cue_stays(edited: Edited) -> None:
    edited.cues.edit("b", lambda held: replace(held, fade=Fade(9.0)))
    changed = edited.cues.recall("b")
    assert (changed.fade.seconds, changed.values) == (9.0, coerced({SCALE: 1.0}))
    with pytest.raises(UserError, match=r"'look': Built-in look; can't be changed\. Store it first\."):
        edited.cues.edit("look", lambda held: held)


@pytest.mark.parametrize("edit", ["delete", "overwrite", "rename", "move", "fade", "follow"])
def test_the_last_edit_is_undone_within_ten_seconds_and_only_once(edited: Edited, edit: str) -> None:
    cues = edited.cues
    cues.recall("b")
    before = (cues.names, cues.current, cues.following, [cues._own[name] for name in cues._own])
    {
        "delete": lambda: cues.delete("b"),
        "overwrite": lambda: cues.store("c", coerced({SCALE: 0.1}), 2.0, "0123456789abcdef"),
        "rename": lambda: cues.rename("b", "x"),
        "move": lambda: cues.move("b", 1),
        "fade": lambda: cues.edit("b", lambda held: replace(held, fade=Fade(1.0))),
        "follow": lambda: cues.edit("b", lambda held: replace(held, follow=8.0)),
    }[edit]()
    edited.now_ns = 10_000_000_000
    cues.undo()
    assert (cues.names, cues.current, cues.following, [cues._own[name] for name in cues._own]) == before
    assert edited.saved[-1] == ("a", "b", "c")
    with pytest.raises(UserError, match="no cue was changed in the last 10 s"):
        cues.undo()
    cues.delete("b")
    edited.now_ns += 10_000_000_001
    with pytest.raises(UserError, match="no cue was changed in the last 10 s"):
        cues.undo()


def test_pictures_are_kept_for_as_long_as_an_undo_can_need_them(edited: Edited) -> None:
    cues = edited.cues
    cues.store("a", coerced({SCALE: 0.1}), picture="a" * 16)
    cues.store("a", coerced({SCALE: 0.2}), picture="b" * 16)
    assert cues.pictures == {"a" * 16, "b" * 16}
    cues.store("a", coerced({SCALE: 0.3}), picture="c" * 16)
    assert cues.pictures == {"b" * 16, "c" * 16}
    untimed = {"number": None, "wait": 0.0, "fade": 0.0, "follow": None, "at": None}
    assert cues.tiles()[0] == {"name": "a", "own": True, "picture": "c" * 16} | untimed
    assert cues.tiles()[3] == {"name": "look", "own": False, "picture": ""} | untimed
