"""`streamvace render`: a clip or the log of a show, without a clock."""
