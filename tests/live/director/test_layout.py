"""What the inputs become: who steers, what is kept, what is painted; no role is ignored and no two disagree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.live.director.layout import Layout, Pictures, lay_out, leading_role
from streamvace.records.chunk import Pixels

F, H, W = 3, 32, 48


def snapshot(**values: object) -> Snapshot:
    return Parameters({f"/streamvace/{name}": value for name, value in values.items()}).snapshot()  # type: ignore[misc]


def picture(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (F, H, W, 4), np.uint8)


def half_mask() -> Pixels:
    """Opaque, that is generated, on the left."""
    mask = picture(9)
    mask[..., 3] = 0
    mask[:, :, : W // 2, 3] = 255
    return mask


def test_one_input_steers_is_masked_and_is_kept() -> None:
    only = half_mask()
    layout = lay_out(snapshot(mask_source="alpha", video_to_video=True), Pictures.of_one(only))
    for plane in (layout.control, layout.source, layout.kept):
        assert plane is not None
        assert (plane == only[..., :3]).all()
    assert layout.mask is not None
    assert (layout.mask == only[..., 3]).all()


def test_with_a_control_of_its_own_what_is_kept_is_the_source_and_what_is_painted_follows_the_control() -> None:
    control, source = picture(1), picture(2)
    layout = lay_out(snapshot(mask_source="alpha"), Pictures(control=control, mask=half_mask(), source=source))
    assert layout.control is not None
    assert (layout.control[:, :, : W // 2] == control[:, :, : W // 2, :3]).all()
    assert (layout.control[:, :, W // 2 :] == source[:, :, W // 2 :, :3]).all()
    assert layout.kept is not None
    assert (layout.kept == source[..., :3]).all()


def test_a_mask_alone_is_used_too() -> None:
    values = snapshot(control=False, mask_source="alpha")
    assert leading_role(values) == "mask"
    layout = lay_out(values, Pictures.of_one(half_mask()))
    assert layout.control is None
    assert layout.mask is not None


def test_nothing_asked_for_means_no_input_is_looked_at() -> None:
    assert leading_role(snapshot(control=False)) == ""
    assert lay_out(snapshot(control=False), Pictures()) == Layout()


def test_a_second_control_is_blended_only_where_there_is_another_input_and_a_weight() -> None:
    first, second = picture(1), picture(2)
    on = snapshot(**{"second_control/weight": 0.3})
    blended = lay_out(on, Pictures(control=first, source=first, second=second)).second
    assert blended is not None
    assert (blended == second[..., :3]).all()
    assert lay_out(on, Pictures.of_one(first)).second is None
    assert lay_out(snapshot(), Pictures(control=first, second=second)).second is None


def test_a_scale_map_of_white_or_opaque_is_the_scale_as_it_is_set() -> None:
    scale = np.zeros((F, H, W, 4), np.uint8)
    scale[:, : H // 2] = 255
    for kind in ("alpha", "luma"):
        plane = lay_out(snapshot(scale_map=kind), Pictures(control=picture(1), scale=scale)).scale_map
        assert plane is not None
        assert (plane[:, : H // 2] == 128).all()
        assert (plane[:, H // 2 :] == 0).all()
    assert lay_out(snapshot(), Pictures(control=picture(1), scale=scale)).scale_map is None


PLACES = {"outpaint/on": True, "outpaint/x": 0.25, "outpaint/y": 0.5, "outpaint/scale": 0.5}


def test_outpainting_moves_every_plane_together_and_paints_all_around() -> None:
    only = half_mask()
    layout = lay_out(
        snapshot(mask_source="alpha", scale_map="alpha", output_alpha="source", **PLACES), Pictures.of_one(only)
    )
    inside = np.zeros((H, W), bool)
    inside[H // 4 : 3 * H // 4, : W // 2] = True
    assert layout.mask is not None
    assert (layout.mask[:, ~inside] == 255).all()
    assert (layout.mask[:, H // 4 : 3 * H // 4, : W // 4] == 255).all(), "its own mask moves with the input"
    assert (layout.mask[:, H // 4 : 3 * H // 4, W // 4 : W // 2] == 0).all()
    assert layout.control is not None
    assert (layout.control[:, ~inside] == 128).all()
    assert layout.scale_map is not None
    assert (layout.scale_map[:, ~inside] == 128).all(), "around the input the control holds as it is set"
    assert layout.alpha is not None
    assert (layout.alpha[:, ~inside] == 0).all()


def test_what_is_kept_before_a_keyed_screen_loses_its_reflections() -> None:
    tinted = np.full((F, H, W, 4), (150, 190, 150, 0), np.uint8)
    pictures = Pictures(control=picture(1), mask=tinted, source=tinted)
    kept = lay_out(snapshot(mask_source="chroma", **{"mask/chroma_spill": 1.0}), pictures).kept
    assert kept is not None
    assert int(kept.max()) - int(kept.min()) < 12
    for values in ({"mask_source": "chroma", "mask/chroma_spill": 0.0}, {"mask_source": "luma"}):
        untouched = lay_out(snapshot(**values), pictures).kept
        assert untouched is not None
        assert (untouched == tinted[..., :3]).all()


@given(
    st.fixed_dictionaries(
        {
            "control": st.booleans(),
            "video_to_video": st.booleans(),
            "mask_source": st.sampled_from(["none", "alpha", "person"]),
            "mask/second": st.sampled_from(["none", "luma"]),
            "scale_map": st.sampled_from(["none", "alpha", "luma"]),
            "second_control/weight": st.sampled_from([0.0, 0.5]),
            "outpaint/on": st.booleans(),
            "outpaint/scale": st.sampled_from([0.5, 1.0]),
        }
    ),
    st.sets(st.sampled_from(["control", "mask", "source", "second", "scale"])),
)
def test_any_composition_has_its_planes_and_every_plane_the_chunks_frames(
    values: dict[str, object], there: set[str]
) -> None:
    pictures = Pictures(**{role: picture(number) for number, role in enumerate(sorted(there))})
    layout = lay_out(snapshot(**values), pictures)
    assert (layout.control is not None) == (bool(values["control"]) and "control" in there)
    assert (layout.source is not None) == (bool(values["video_to_video"]) and "source" in there)
    assert (layout.second is not None) == (values["second_control/weight"] == 0.5 and "second" in there)
    assert (layout.scale_map is not None) == (values["scale_map"] != "none" and "scale" in there)
    outpaints = values["outpaint/on"] and "source" in there
    masked = (values["mask_source"], values["mask/second"]) != ("none", "none")
    assert (layout.mask is not None) == ((masked and "mask" in there) or outpaints)
    for plane in (layout.control, layout.source, layout.second, layout.kept):
        assert plane is None or (plane.shape == (F, H, W, 3) and plane.dtype == np.uint8)
    for plane in (layout.mask, layout.scale_map, layout.alpha):
        assert plane is None or (plane.shape == (F, H, W) and plane.dtype == np.uint8)
