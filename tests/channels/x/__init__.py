"""Tests of the X channel, against the strict local X through the real client library."""
