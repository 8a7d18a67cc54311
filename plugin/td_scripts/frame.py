"""Inside TouchDesigner, callbacks of an Execute DAT: once a frame, and when TouchDesigner closes."""


def onFrameStart(frame):
    me.parent().Frame()  # noqa: F821 - TouchDesigner's name for this DAT


def onExit():
    me.parent().Exit()  # noqa: F821
