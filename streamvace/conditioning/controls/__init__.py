"""Control pictures from live video: one row a kind, one small stateful object each.

numpy and OpenCV only; what needs a network loads it when it is made, and says in one line what it runs on.
"""
