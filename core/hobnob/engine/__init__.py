"""Language models behind one port (`hobnob.ports.Engine`)."""
