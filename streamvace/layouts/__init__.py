"""Ready-made control surfaces: the pages of a show, written as files of TouchOSC and Open Stage Control."""
