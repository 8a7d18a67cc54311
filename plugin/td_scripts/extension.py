"""Inside TouchDesigner: finds the streamvace folder and hands over to `streamvace_td.extension`.

This text lies in the component, so that it can say what is missing when the folder is not where it was.
"""


def create(owner):
    """The component's extension. Raises one line when the Folder parameter leads nowhere."""
    import os
    import sys

    import td

    folder = os.path.normpath(os.path.join(td.project.folder, owner.par.Folder.eval()))
    plugin = os.path.join(folder, "plugin")
    if not os.path.isdir(os.path.join(plugin, "streamvace_td")):
        raise RuntimeError(f"streamvace: no plugin/streamvace_td in {folder}: set the component's Folder parameter")
    for path in (plugin, folder):
        if path not in sys.path:
            sys.path.append(path)
    from streamvace_td.extension import Extension

    return Extension(owner, td, folder)
