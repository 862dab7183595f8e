"""Where customers are: one file or room per platform behind the Channel port."""
