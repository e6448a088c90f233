"""What is remembered, behind one port (`hobnob.ports.MemoryPort`)."""
