"""A log read back: unchanged, whatever version wrote it, and refused in one line if it is damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamvace.live.offline.replay import Replay
from streamvace.live.show_log.reader import read_show
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from tests.live.fakes import FakeGenerator
from tests.live.show import SIZE
from tests.live.show_log.logs import Rig, Untouched, chunk, head, row

DEEP = b'[["/streamvace/seed", ' + b"[" * 700 + b"]" * 700 + b', "osc"]]'


def test_a_show_is_read_back_whole_and_an_incomplete_last_line_is_ignored(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0, prompt=PromptMix((("red", 1.0), ("blue", 2.0))), block_scales=(1.0, 0.5))
    rig.made(1, seed=9)
    rig.log.close()
    with rig.path.open("a", encoding="utf-8") as file:
        file.write('{"chunk": 2, "s": 1.2')
    show = read_show(rig.path)
    assert (show.pipeline, show.size, show.content_rate, show.inputs) == ("embedded", SIZE, 24.0, ("pattern",))
    assert show.parameters["/streamvace/seed"] == 3
    assert show.frames == 24
    first, second = show.chunks
    assert first.shape["prompt"] == PromptMix((("red", 1.0), ("blue", 2.0)))
    assert first.shape["block_scales"] == (1.0, 0.5)
    assert (second.shape["seed"], second.shape["context_scale"]) == (9, 1.0)


def test_a_prompt_with_any_character_is_read_back_unchanged(tmp_path: Path) -> None:
    prompt = "red" + "".join(map(chr, (0x2028, 0x2029, 0x85, 0x0B, 0x0C, 0x1C, 0x0D, 0x0A, 0xDCFF, 0x1F600))) + "cube"
    rig = Rig(tmp_path)
    rig.parameters.set("/streamvace/prompt", (prompt,), "osc")
    rig.made(0, prompt=prompt)
    rig.made(1, prompt=prompt)
    rig.log.close()
    first, second = read_show(rig.path).chunks
    assert first.shape["prompt"] == second.shape["prompt"] == prompt
    assert rig.path.read_bytes().count(b"\n") == 3, "a line of the file is a line for every program"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is no show log"),
        (b'{"format": "something else"}\n', "is no show log"),
        (b"\xff\xfe", "cannot be read"),
        (b"[1]\n{}\n", "line 1: not an object"),
        (b'{"format": "streamvace show 1"}\n', "is damaged"),
        (b"[" * 100_000 + b"\n{}\n", "line 1"),
        (head(content_rate=0), "line 1 is damaged: content_rate: .* greater than 0, got 0"),
        (head(content_rate=-5), "content_rate: .* greater than 0, got -5"),
        (head(content_rate=1e12), "content_rate: .* less than or equal to 1000, got 1000000000000"),
        (head(content_rate=float("nan")), "content_rate: .* finite number, got nan"),
        (head(size=[float("inf"), 64]), r"size\.0: .* finite number, got inf"),
        (head(size=[64]), "size"),
        (head(size=[64, -64]), "greater than 0, got -64"),
        (head(parameters=7), "parameters: .* dictionary, got 7"),
        (head() + row(frames=float("inf")), "line 2 is damaged: frames: .* finite number"),
        (head() + row(frames=10**9), "frames: .* less than or equal to 1000"),
        (head() + row(set=[["/streamvace/seed"]]), "line 2 is damaged: set"),
        (head() + row(shape={"seed": "seven"}), "line 2 is damaged: .*, got "),
        (head() + row(shape={"context_scale": float("inf")}), "shape: context_scale: .* finite number, got .*inf"),
        (head() + row(shape={"prompt": {"parts": [[5, 1.0]], "blend": "linear"}}), "line 2 is damaged"),
        (head() + row(shape={"prompt": {"parts": [["red", -1.0]], "blend": "linear"}}), "prompt weights"),
        (head() + row(set="DEEP").replace(b'"DEEP"', DEEP), "line 2 is damaged: nested too deeply"),
    ],
)
def test_an_invalid_log_is_refused_in_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=line) as caught:
        read_show(path)
    assert "\n" not in str(caught.value)


def test_a_field_of_a_later_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "show.jsonl"
    path.write_bytes(head(more=1) + row(shape={"seed": 7, "glow": 0.5}, more=2))
    assert dict(read_show(path).chunks[0].shape) == {"noise_rule": "sum", "seed": 7}


def test_a_picture_that_one_chunk_lacks_is_not_missing_in_the_next(tmp_path: Path) -> None:
    """Earlier versions logged it as null, once, and later chunks were rendered without their control."""
    path = tmp_path / "show.jsonl"
    path.write_bytes(head() + row(shape={"seed": 7, "control": None}) + row(index=1, pictures=["control"]))
    first, second = read_show(path).chunks
    assert "control" not in {**first.shape, **second.shape}
    rig = Rig(tmp_path / "new")
    rig.made(0)
    rig.log.close()
    assert "control" not in rig.path.read_text("utf-8").partition("\n")[2].partition('"pictures"')[0]


def test_a_log_names_its_noise_rule_and_one_of_an_earlier_version_keeps_the_old(tmp_path: Path) -> None:
    """Earlier versions drew the noise of seed + position and did not say so."""
    rig = Rig(tmp_path)
    rig.made(0)
    rig.made(1)
    rig.log.close()
    assert [chunk.shape["noise_rule"] for chunk in read_show(rig.path).chunks] == ["hash", "hash"]
    written = rig.path.read_text("utf-8")
    assert written.count('"noise_rule": "hash", ') == 1, "values are logged when they change"
    rig.path.write_text(written.replace('"noise_rule": "hash", ', ""), "utf-8")
    old = read_show(rig.path)
    assert [chunk.shape["noise_rule"] for chunk in old.chunks] == ["sum", "sum"]

    class Twelve(FakeGenerator):
        def frames_wanted(self) -> int:
            return 12

        def step(self, inputs: ChunkInput) -> Chunk:
            given.append(inputs.noise_rule)
            return super().step(inputs)

    given: list[str] = []
    replay = Replay(old, lambda *model: Twelve(SIZE, 0), MediaFolder(tmp_path), Untouched(), None)  # type: ignore[arg-type]
    assert len(list(replay.chunks())) == 2
    assert given == ["sum", "sum"], "the picture is the one of that evening"


def test_a_log_names_the_precision_and_one_of_an_earlier_version_had_fp32(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    for index in range(2):
        inputs = ChunkInput("a")
        rig.log.made(inputs, replace(chunk(inputs, index), precision="bf16"))
    rig.log.close()
    assert read_show(rig.path).precision == "bf16"
    written = rig.path.read_text("utf-8")
    assert written.count(', "precision": "bf16"') == 1, "it is logged when it changes"
    rig.path.write_text(written.replace(', "precision": "bf16"', ""), "utf-8")
    assert read_show(rig.path).precision == "fp32"
    rig.path.write_text(written.replace(', "precision": "bf16"', "").replace("embedded", "longlive"), "utf-8")
    assert read_show(rig.path).precision == "auto", "the published pipelines chose by the device then as now"
