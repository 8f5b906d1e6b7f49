"""Live values from the engine to browsers: one Redis subscription per process."""
