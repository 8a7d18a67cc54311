"""Callbacks of an Execute DAT inside TouchDesigner: every frame, and on exit."""

# `me` is TouchDesigner's name for this DAT. Without its folder, the component has no extension and reports that itself.


def onFrameStart(frame):
    component = me.parent()  # noqa: F821
    if hasattr(component, "Frame"):
        component.Frame()


def onExit():
    component = me.parent()  # noqa: F821
    if hasattr(component, "Exit"):
        component.Exit()
