"""From the LaTeX or program notation of one expression to sympy: `parser.read`."""
