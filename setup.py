"""What pyproject.toml can't say yet: the inner loops in C, built where there is a compiler."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "lockllm_twisted.detection._quick",
            ["lockllm_twisted/detection/_quick.c"],
            libraries=["m"],
            extra_compile_args=["-O2", "-ffp-contract=off"],  # the same doubles on every machine
            optional=True,  # without it, counting.py and weighing.py do the same, only slower
        ),
        Extension(
            "lockllm_twisted.detection._encoder",
            ["lockllm_twisted/detection/_encoder.c"],
            libraries=["m"],
            extra_compile_args=["-O2", "-ffp-contract=off"],
            optional=True,  # without it, network.py does the same, only slower
        ),
        Extension("lockllm_twisted._wire", ["lockllm_twisted/_wire.c"], extra_compile_args=["-O2"], optional=True),
    ]
)
