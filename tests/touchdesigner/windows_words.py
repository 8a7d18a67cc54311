"""Options as users type them on Windows, and the words that Windows makes of them."""

from __future__ import annotations

WINDOWS_WORDS = [
    ("", []),
    ("--no-web  --size 512x320", ["--no-web", "--size", "512x320"]),
    ('--prompt="a red sphere"', ["--prompt=a red sphere"]),
    ('--lora "my style.safetensors=0.8" --no-web', ["--lora", "my style.safetensors=0.8", "--no-web"]),
    ("--prompt 'a red'", ["--prompt", "'a", "red'"]),  # a single quote is a letter
    (r"--media C:\show\media\ --no-web", ["--media", "C:\\show\\media\\", "--no-web"]),
    (r'--prompt "a \"red\" sphere"', ["--prompt", 'a "red" sphere']),
    (r'--media "C:\my show\\" --no-web', ["--media", "C:\\my show\\", "--no-web"]),
    ('--prompt ""', ["--prompt", ""]),
]
