"""Parameters of the core as frozen dataclasses; pure, so that forms and pages need no compiler."""
