"""Trading: the decision core, the engine that acts on it, and the rows, pages and commands around."""
