"""Packaging of realtalk: what it needs, and what it needs only for its optional parts."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

CORE = [
    "apache-beam>=2.77,<2.78",
    "audioop-lts; python_version >= '3.13'",
    "av>=14,<20",
    "defusedxml>=0.7,<1",
    "httpx>=0.27,<1",
    "librosa>=0.10.2,<2",
    "num2words>=0.5.13,<1",
    "numpy>=2.1,<3",
    "onnxruntime>=1.20,<2",
    "packaging>=24",
    "pandas>=2.2,<4",
    "pocketsphinx>=5.1,<6",
    "pyarrow>=20,<26",
    "pydantic>=2.8,<3",
    "pydub==0.25.1",
    "pyloudnorm>=0.1.1,<1",
    "PyYAML>=6,<7",
    "resemblyzer==0.1.4",
    "rich>=13,<16",
    "safetensors>=0.4.3,<1",
    "scikit-learn>=1.5,<2",
    "scipy>=1.14,<2",
    # webrtcvad imports pkg_resources, which setuptools 82 no longer has.
    "setuptools>=77.0.3,<82",
    "silero-vad>=6.2,<7",
    "soundfile>=0.13,<1",
    "soxr>=0.5,<2",
    "speechmos==0.0.1.1",
    "torch>=2.8,<2.14",
    "typer>=0.16,<1",
    "webrtcvad>=2.0.10,<3",
]

# espeak-ng is GPL-3.0: only the demonstration speaks with it, and only where this extra is installed.
DEMO = ["espeakng-loader>=0.2.4"]
SERVE = ["starlette>=0.47,<2", "uvicorn>=0.35,<1"]
ONNX = ["onnx>=1.18,<2"]
TENSORBOARD = ["tensorboard>=2.18,<3"]
WHISPER = "openai-whisper==20250625"
# What reads exports in their tests, as their users do.
READERS = [
    "datasets>=4,<6",
    "lhotse>=1.30,<2",
    "mlcroissant>=1.1,<2",
    "praatio>=6.2,<7",
    "pyannote.database>=6.1,<7",
    "TextGrid>=1.6,<2",
    "webdataset>=1,<2",
]
TEST = [
    "hypothesis>=6,<7",
    WHISPER,
    "pytest>=8,<10",
    "pytest-xdist>=3,<4",
    *DEMO,
    *READERS,
    *SERVE,
    *ONNX,
]
CHECK = [
    "mypy>=1.11,<3",
    "pandas-stubs>=2.2",
    "ruff>=0.6,<1",
    "types-PyYAML>=6",
    "types-defusedxml>=0.7",
]

setup(
    name="realtalk",
    version="0.1.0",
    description="Turns podcasts into a voice: consented, aligned, scored speech datasets built with Apache Beam",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(
        include=["schemas*", "transforms*", "pipeline*", "tts*"],
    ),
    package_data={
        "pipeline": ["templates/*"],
        "pipeline.report": ["assets/*"],
        "tts.server": ["assets/*"],
        "transforms.text": ["data/*.npz"],
        "transforms.models": ["*.json", "*.npz"],
    },
    install_requires=CORE,
    extras_require={
        "whisper": [WHISPER],
        "pyannote": ["pyannote.audio>=4.0.7,<5"],
        "neural": [WHISPER, "pyannote.audio>=4.0.7,<5"],
        "gcp": ["apache-beam[gcp]>=2.77,<2.78"],
        "demo": DEMO,
        "serve": SERVE,
        "onnx": ONNX,
        "tensorboard": TENSORBOARD,
        "test": TEST,
        "dev": TEST + CHECK,
    },
    entry_points={"console_scripts": ["realtalk=pipeline.cli:main"]},
)
