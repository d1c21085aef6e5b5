"""Reading what runs leave behind, and making pictures and tables of it."""
