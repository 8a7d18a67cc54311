"""Inside TouchDesigner, callbacks of a Parameter Execute DAT: what was turned or pressed on the component."""


def onValuesChanged(changes):
    me.parent().ValuesChanged(changes)  # noqa: F821 - TouchDesigner's name for this DAT


def onPulse(par):
    me.parent().Pulse(par)  # noqa: F821
