"""The systems that are compared. Each module has `system(*options)`, which makes one."""
