"""Whether two answers say the same: `comparison.compare` walks their trees, and a leaf decides on two expressions."""
