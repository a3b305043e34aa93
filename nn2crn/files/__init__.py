"""Files: looked at before they are read, and written whole or not at all."""
