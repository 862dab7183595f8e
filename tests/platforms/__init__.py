"""Strict local stand-ins of the platforms, below the client libraries: nothing of ours or of a library is mocked."""
