"""The text front end: from written English, or SSML, to sentences of phones that a voice can speak."""
