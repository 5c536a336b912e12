"""Words that no dictionary has, as eSpeak NG pronounces them: an option, for it is GPL-3.0 and not of realtalk."""

import ctypes
from functools import cached_property

from schemas.errors import ConfigurationError
from transforms.text.dictionary import Dictionary, Pronunciation
from transforms.text.pronunciation import Pronouncer
from tts.frontend.ipa import phones_of_ipa

_NO_AUDIO = 2  # AUDIO_OUTPUT_SYNCHRONOUS; nothing is played where nothing is spoken
_UTF8, _IPA = 1, 2
_VOICE = b"en-us"


class EspeakPronouncer(Pronouncer):
    """A Pronouncer that asks eSpeak NG for what is not in its dictionary."""

    def __init__(self, dictionary: Dictionary | None = None) -> None:
        """Raises ConfigurationError where eSpeak NG is not installed."""
        super().__init__(dictionary)
        _ = self._library

    def pronounce(self, word: str) -> Pronunciation:
        """By the dictionary, else by eSpeak NG; where it has sounds that aren't of English, by what was learned."""
        known = self.lookup(word)
        if known:
            return known[0]
        try:
            return phones_of_ipa(self._ipa(word))
        except ValueError:
            return super().pronounce(word)

    def _ipa(self, word: str) -> str:
        text = ctypes.c_char_p(word.encode("utf-8"))
        found = self._library.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, _IPA)
        return (found or b"").decode("utf-8")

    @cached_property
    def _library(self) -> ctypes.CDLL:
        try:
            import espeakng_loader
        except ImportError:
            raise ConfigurationError("--espeak: eSpeak NG is not installed; run: pip install espeakng-loader") from None
        library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        # Its default data path is that of the machine it was built on.
        data = str(espeakng_loader.get_data_path()).encode()
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        if library.espeak_Initialize(_NO_AUDIO, 0, data, 0) <= 0 or library.espeak_SetVoiceByName(_VOICE) != 0:
            raise ConfigurationError(f"--espeak: finds no English voice in {data.decode()}; reinstall espeakng-loader")
        return library
