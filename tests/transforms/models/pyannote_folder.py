"""A pyannote.audio pipeline in its real file format, small and untrained: made by tests, loaded by the real code."""

from pathlib import Path

import numpy as np

_CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_step: 0.2
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}
  segmentation: {min_duration_off: 0.0}
"""
_DIMENSION, _LDA = 32, 16


def make_pipeline_folder(folder: Path) -> Path:
    """Write config.yaml, segmentation, embedding and plda; the same bytes of weights each time."""
    import torch

    torch.manual_seed(1)
    (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
    _save(_segmentation(), folder / "segmentation")
    _save(_embedding(), folder / "embedding")
    _save_plda(folder / "plda")
    return folder


def _segmentation():  # type: ignore[no-untyped-def]
    """PyanNet over 10 s, three speakers of which at most two at once. Loud is a speaker, quiet is nobody."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    model = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["a", "b", "c"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    with torch.no_grad():
        # Untrained, all classes are about as likely everywhere: what differs from frame to frame is made to count.
        model.classifier.weight.mul_(40)
        model.classifier.bias.zero_()
    return model


def _embedding():  # type: ignore[no-untyped-def]
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet

    model = XVectorSincNet(dimension=_DIMENSION)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a", "b"]
    )
    return model


def _save(model, folder: Path) -> None:  # type: ignore[no-untyped-def]
    """As lightning saves a checkpoint of a pyannote.audio model."""
    import lightning
    import torch

    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir()
    torch.save(checkpoint, folder / "pytorch_model.bin")


def _save_plda(folder: Path) -> None:
    rng = np.random.default_rng(1)
    folder.mkdir()
    lda = np.linalg.qr(rng.normal(size=(_DIMENSION, _DIMENSION)))[0][:, :_LDA]
    np.savez(folder / "xvec_transform.npz", mean1=np.zeros(_DIMENSION), mean2=np.zeros(_LDA), lda=lda)
    np.savez(folder / "plda.npz", mu=np.zeros(_LDA), tr=np.eye(_LDA), psi=np.linspace(4.0, 0.5, _LDA))
