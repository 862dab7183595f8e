"""A strict local Slack for tests, below slack_bolt and slack_sdk: `SlackPlatform`, and `SlackServer` in front of it."""
