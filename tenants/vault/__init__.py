"""The vault: exchange keys under two locks; sealed by operations, opened by engines only."""
