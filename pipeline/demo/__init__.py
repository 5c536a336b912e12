"""A podcast that speaks itself: two synthetic voices, so that everything can be tried with no file at hand."""
