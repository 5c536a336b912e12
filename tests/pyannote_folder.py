"""A pyannote.audio pipeline in its real file format, small: made by tests, loaded by the real code."""

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


def make_untrained_folder(folder: Path) -> Path:
    """The published architecture of segmentation (PyanNet), and an x-vector, with random weights."""
    import torch

    torch.manual_seed(1)
    return _make(folder, _segmentation(), _embedding())


def make_band_folder(folder: Path) -> Path:
    """Models that hear tones (band_models.py): what the pipeline makes of them is known."""
    import band_models

    return _make(folder, band_models.segmentation(), band_models.embedding())


def _make(folder: Path, segmentation, embedding) -> Path:  # type: ignore[no-untyped-def]
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
    _save(segmentation, folder / "segmentation")
    _save(embedding, folder / "embedding")
    _save_plda(folder / "plda")
    return folder


def _segmentation():  # type: ignore[no-untyped-def]
    """PyanNet over 10 s, three speakers of which at most two at once."""
    import torch
    from band_models import powerset_of_three
    from pyannote.audio.models.segmentation import PyanNet

    model = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    model.specifications = powerset_of_three()
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
    # Voices differ a lot more than one voice does from itself.
    np.savez(folder / "plda.npz", mu=np.zeros(_LDA), tr=10 * np.eye(_LDA), psi=np.linspace(120.0, 80.0, _LDA))
