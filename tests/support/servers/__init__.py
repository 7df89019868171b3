"""Git servers on loopback, as they run in the world: each with a free port, its own folder, and a clean end."""
