"""What the screens say: pure functions from a `ConsoleState` and a width to lines. They hold no widget."""
