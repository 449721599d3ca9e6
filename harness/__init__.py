"""Composes algorithms and benchmarks; the one package that starts work. `docs/architecture.md` has its floors."""
