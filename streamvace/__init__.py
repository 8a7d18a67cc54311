"""streamvace: live, controllable video generation for VJs.

Causal, streaming VACE on Wan2.1-based pipelines, after "Adapting VACE for Real-Time Autoregressive Video Diffusion".
"""

__version__ = "0.1.0"
