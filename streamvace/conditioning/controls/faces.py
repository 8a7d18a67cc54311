"""MediaPipe's face mesh (Kartynnik et al. 2019), found from the body's eyes and mouth."""

from __future__ import annotations

import math

import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels
from streamvace.conditioning.controls.blaze_pose import Body
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.controls.squares import Square, alike, cut_out, enclosing, into, upwards

FILE = "face_landmark.tflite"

POINTS = 468

_EYES, _MOUTH = (2, 5), (9, 10)
"""The body's."""

_FACE_IN_EYES_TO_MOUTH = 4.5
"""Side of the first square, in ways from the eyes to the mouth: a face with half of itself around it."""

_OUTER_EYES = (33, 263)
"""The mesh's outer corners of the right and the left eye: a square lies level with them."""

_AROUND_MESH = 1.5

_SEEN = 0.3
_THERE = 0.0
"""The network's answer is a logit: more likely a face than not."""

OUTLINE = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
"""The points of the mesh nearest to the 68 that VACE's annotator draws (Sagonas et al. 2013): jaw, brows, nose, eyes,
mouth, each from the picture's left on a face that looks at the camera."""


class Faces:
    """Raises UserError without its file or without LiteRT."""

    def __init__(self, networks: Networks) -> None:
        self._mesh = LiteNetwork(networks.find(FILE, "drawing faces"))

    def find(self, picture: Pixels, body: Body, before: Floats | None) -> Floats | None:
        """The face of a body, float32 `[468, 2]` in pixels; None when it isn't seen.

        picture: uint8 `[H, W, 3]`. before: where this face was in the picture before.
        """
        if min(body.seen[list(_EYES + _MOUTH)]) < _SEEN:
            return None
        first = _from_body(body)
        if before is not None and alike(followed := _from_mesh(before), first, middle=0.3, side=0.5, angle=math.pi / 4):
            return self._look(picture, followed)[0]
        # The body's face is a rough guide: what is seen there first says where to look.
        rough = self._look(picture, first)[1]
        return self._look(picture, _from_mesh(rough))[0]

    def _look(self, picture: Pixels, square: Square) -> tuple[Floats | None, Floats]:
        """(The mesh if it is one of a face, the mesh in any case)."""
        crop, to_picture = cut_out(picture, square, self._mesh.width)
        outputs = self._mesh(crop)
        places = next(each for each in outputs if each.size == 3 * POINTS).reshape(POINTS, 3)[:, :2]
        there = next(each for each in outputs if each.size == 1)
        mesh = into(to_picture, places)
        return (mesh if float(there.ravel()[0]) > _THERE else None), mesh


def outline(mesh: Floats) -> Floats:
    """The 68 points that are drawn, of a mesh `[468, 2]`."""
    return mesh[list(OUTLINE)]


def _from_body(body: Body) -> Square:
    eyes, mouth = body.points[list(_EYES)].mean(0), body.points[list(_MOUTH)].mean(0)
    middle, way = (eyes + mouth) / 2, np.asarray(eyes - mouth, dtype=np.float32)
    side = _FACE_IN_EYES_TO_MOUTH * float(np.linalg.norm(way))
    return Square(float(middle[0]), float(middle[1]), max(side, 1.0), upwards(way))


def _from_mesh(mesh: Floats) -> Square:
    right, left = mesh[list(_OUTER_EYES)]
    across = left - right
    return enclosing(mesh, math.atan2(float(across[1]), float(across[0])), _AROUND_MESH)
