"""Inside TouchDesigner, callbacks of an Execute DAT: once a frame, and when TouchDesigner closes."""

# me: TouchDesigner's name for this DAT. Without its folder the component has no extension, and says so elsewhere.


def onFrameStart(frame):
    component = me.parent()  # noqa: F821
    if hasattr(component, "Frame"):
        component.Frame()


def onExit():
    component = me.parent()  # noqa: F821
    if hasattr(component, "Exit"):
        component.Exit()
