"""What every API of the house shares: who asks, how often, once only, and how it is told no."""
