"""Real faults on real processes and files: kill -9, a disk whose every write and sync fails once, a full disk."""
