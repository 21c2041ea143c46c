"""Finds the task of an export and its parameters: at deployment, in the child process, since files may be hostile.

`recognized` is the way in.
"""

from maas.tasks.recognition.recognized import Recognized, recognized
from maas.tasks.recognition.samples import sample_answers

__all__ = ["Recognized", "recognized", "sample_answers"]
