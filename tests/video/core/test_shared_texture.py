"""Addresses of Spout and Syphon textures, and what is said where they cannot be."""

from __future__ import annotations

import platform
import re
import sys

import pytest

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.endpoints import open_sink, open_source
from streamvace.video.spout.sink import SpoutSink
from streamvace.video.spout.source import SpoutSource
from tests.video.fake_spout import World


@pytest.mark.parametrize(
    ("uri", "system", "message"),
    [
        ("spout:td", "linux", "Spout exists only on Windows and this is Linux; use ndi:td, NDI works everywhere"),
        ("spout:td", "darwin", "Spout exists only on Windows and this is macOS; use ndi:td, NDI works everywhere"),
        ("syphon:td", "linux", "Syphon exists only on macOS and this is Linux; use ndi:td, NDI works everywhere"),
        ("syphon:td", "win32", "Syphon exists only on macOS and this is Windows; use ndi:td, NDI works everywhere"),
    ],
)
def test_elsewhere_the_message_names_this_system_and_what_to_use(
    uri: str, system: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    for opener in (lambda: open_source(uri, (8, 6)), lambda: open_sink(uri, (8, 6), 24.0)):
        with pytest.raises(UserError) as caught:
            opener()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("system", "module", "uri", "extra"),
    [("win32", "SpoutGL", "spout:x", "spout"), ("darwin", "objc", "syphon:x", "syphon")],
)
def test_a_missing_package_says_what_to_install(
    system: str, module: str, uri: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setitem(sys.modules, module, None)
    for opener in (lambda: open_source(uri, (8, 6)), lambda: open_sink(uri, (8, 6), 24.0)):
        with pytest.raises(UserError, match=re.escape(install_command(extra))) as caught:
            opener()
        assert "\n" not in str(caught.value)


def test_the_rows_of_the_tables_open_what_the_address_says(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "SpoutGL", world.module())
    sink = open_sink("spout:?premultiplied", (8, 6), 24.0)
    source = open_source("spout:streamvace?flipped", (8, 6))
    try:
        assert isinstance(sink, SpoutSink)
        assert isinstance(source, SpoutSource)
        assert sink.name == source.name == "spout:streamvace"
        assert sink._options == TextureOptions(premultiplied=True)
        assert source._options == TextureOptions(flipped=True)
    finally:
        sink.close()
        source.close()
