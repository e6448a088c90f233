"""The pages that people link to, read without being led astray."""
