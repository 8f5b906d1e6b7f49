"""Read use cases of trading, one module per noun; inside the scope of one tenant."""
