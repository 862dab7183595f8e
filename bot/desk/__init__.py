"""Where agents are: the Desk port, Slack's desk and the playground's."""
