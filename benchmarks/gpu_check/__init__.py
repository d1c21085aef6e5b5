"""Everything that the plugin does, done once on a GPU and compared with the CPU."""
