def transcribe_target(*a): raise NotImplementedError
