"""Unpacks a GGUF file into a folder: `python -m hobnob.engine.unpack FILE FOLDER`.

A program of its own, since unpacking shows a progress bar that can't be turned off, and a thread
that does it can't be interrupted. Ends with UNREADABLE or UNWRITABLE, the reason being the last
line of its standard output.
"""

import sys
from pathlib import Path

UNREADABLE = 3
UNWRITABLE = 4


def unpack(gguf: Path, folder: Path) -> int:
    """Write safetensors, config and tokenizer into `folder`; return the exit status.

    In bfloat16: half the size of float32 and as quick to load, into either type.
    https://huggingface.co/docs/transformers/main/en/gguf
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
        )
    except Exception as error:
        print(f"{type(error).__name__}: {' '.join(str(error).split())}")
        return UNREADABLE
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except Exception as error:  # safetensors has its own for a full disk
        print(f"{type(error).__name__}: {' '.join(str(error).split())}")
        return UNWRITABLE
    return 0


if __name__ == "__main__":
    sys.exit(unpack(Path(sys.argv[1]), Path(sys.argv[2])))
