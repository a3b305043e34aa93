"""The templates of the package, one .act file each."""
