"""What the screens say: pure functions from a `Board` and a width to lines. They hold no widget."""
