"""What flows through the pipeline: plain records and the Arrow schemas they are written with.

Imports no Beam and no torch.
"""
