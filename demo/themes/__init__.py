"""The demo's small feeds, one module per theme: each draws its counts from the basis table and writes its files."""
