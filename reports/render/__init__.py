"""Formats. Each turns the same document or table into text; none computes anything."""
