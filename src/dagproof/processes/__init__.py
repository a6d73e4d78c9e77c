"""Programs of ours that run beside this process."""
