"""Models as guests: one abstract class a task (base), one file a model. No Beam."""
