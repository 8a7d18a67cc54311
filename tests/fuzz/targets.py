"""Every target by name."""

from __future__ import annotations

from tests.fuzz import (
    cue_target,
    dmx_target,
    film_target,
    network_target,
    osc_target,
    shared_target,
    show_log_target,
    timeline_target,
    weights_target,
)

TARGETS = {
    target.name: target
    for target in (
        osc_target.TARGET,
        dmx_target.TARGET,
        film_target.TARGET,
        cue_target.TARGET,
        timeline_target.TARGET,
        show_log_target.TARGET,
        *weights_target.TARGETS,
        *network_target.TARGETS,
        shared_target.TARGET,
    )
}
