"""Callbacks of a Parameter Execute DAT inside TouchDesigner: changed and pressed parameters of the component."""

# `me` is TouchDesigner's name for this DAT.


def onValuesChanged(changes):
    component = me.parent()  # noqa: F821
    if any(change.par.name == "Folder" for change in changes):
        component.par.reinitextensions.pulse()
    elif hasattr(component, "ValuesChanged"):
        component.ValuesChanged(changes)


def onPulse(par):
    component = me.parent()  # noqa: F821
    if hasattr(component, "Pulse"):
        component.Pulse(par)
