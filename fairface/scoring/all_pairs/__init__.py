"""Every image compared with every other, however many pairs that makes: in tiles, never as a list."""
