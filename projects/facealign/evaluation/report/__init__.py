"""What a measurement leaves behind: files, tables and pictures."""
