"""The filters are those that the networks were trained with."""

import numpy as np
import pytest

from transforms.models.mel import mel_filters


@pytest.mark.parametrize(("rate", "fft", "mels"), [(16_000, 400, 40), (16_000, 512, 80), (1_500, 256, 10)])
def test_they_are_librosas_to_the_last_bit_but_one(rate: int, fft: int, mels: int) -> None:
    librosa = pytest.importorskip("librosa", reason="librosa made the filters that the networks were trained with")
    expected = librosa.filters.mel(sr=rate, n_fft=fft, n_mels=mels)
    np.testing.assert_allclose(mel_filters(rate, fft, mels), expected, rtol=3e-7, atol=1e-10)
