"""Puts a GGUF file into OpenVINO's format: `python -m hobnob.engine.openvino_convert FILE FOLDER`.

A program of its own, like `hobnob.engine.unpack`, with the same exit statuses: OpenVINO's reader
prints what it likes, and a damaged file can end its process.

The weights keep their 4 or 8 bits. OpenVINO's reader rounds the offset of each group of weights to
a whole step, which costs a fifth of the perplexity of a Q4_1 file (docs/decisions.md), so the
offsets are put right afterwards.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hobnob.engine.unpack import UNREADABLE, UNWRITABLE

if TYPE_CHECKING:
    from gguf import GGUFReader, ReaderTensor

MODEL = "openvino_model.xml"
TOKENIZER, DETOKENIZER = "openvino_tokenizer.xml", "openvino_detokenizer.xml"
HALF = np.float16
Floats = NDArray[np.float32]


def convert(gguf: Path, folder: Path) -> int:
    """Write the model, its configuration and its tokenizer into `folder`; the exit status.

    https://openvinotoolkit.github.io/openvino.genai/docs/supported-models/
    """
    from hobnob.engine.openvino_quiet import import_openvino

    print_to = _keep_output()
    try:
        openvino, genai = import_openvino()
        from gguf import GGUFReader

        reader = GGUFReader(gguf)
        _tokenizer_and_config(gguf, folder)
        link = folder / "model.gguf"
        link.symlink_to(gguf)
        settings = {"enable_save_ov_model": True}  # beside the file it reads
        genai.ContinuousBatchingPipeline(str(link), genai.SchedulerConfig(), "CPU", settings)
        link.unlink()
        model = openvino.Core().read_model(folder / MODEL)
        exact(model, reader, openvino)
        _vocabulary(folder, openvino)
    except Exception as error:
        print(f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}", file=print_to)
        return UNREADABLE
    try:
        openvino.save_model(model, folder / "exact.xml", compress_to_fp16=True)
        del model  # it has the files open
        (folder / "exact.xml").replace(folder / MODEL)
        (folder / "exact.bin").replace((folder / MODEL).with_suffix(".bin"))
    except Exception as error:
        print(f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}", file=print_to)
        return UNWRITABLE
    return 0


def _keep_output() -> Any:
    """Our own way to standard output; what libraries print goes nowhere."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return ours


def _tokenizer_and_config(gguf: Path, folder: Path) -> None:
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    config: Any = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tokenizer.save_pretrained(folder)
    config.save_pretrained(folder)
    GenerationConfig.from_model_config(config).save_pretrained(folder)


def _vocabulary(folder: Path, openvino: Any) -> None:
    """OpenVINO's own tokenizer, without which it can't follow schemas. Some can't be converted."""
    from transformers import AutoTokenizer

    loader: Any = AutoTokenizer
    with suppress(Exception):  # it raises whatever it likes
        from openvino_tokenizers import convert_tokenizer

        tokenizer = loader.from_pretrained(folder, local_files_only=True)
        both: Any = convert_tokenizer(tokenizer, with_detokenizer=True)
        for part, name in zip(both, (TOKENIZER, DETOKENIZER), strict=True):
            openvino.save_model(part, folder / name)


# ------------------------------------------------------------------------- the groups' offsets


def exact(model: Any, reader: "GGUFReader", openvino: Any) -> None:
    """Give each group of weights the offset that the file gives it.

    A weight is (number - offset) * scale. Which tensor of the file a part of the model comes from
    is told by its scales. Raises ValueError if one is not found: then the model would be wrong.
    """
    wanted: dict[bytes, tuple[str, Floats]] = {}
    head = _head_size(reader)
    for tensor in reader.tensors:
        if groups := _groups(tensor):
            scales, lowest = groups
            offsets = np.divide(-lowest, scales, out=np.zeros_like(scales), where=scales != 0)
            apart = _halves_apart(scales, head), _halves_apart(offsets, head)
            for its_scales, its_offsets in ((scales, offsets), apart):
                wanted[its_scales.astype(HALF).tobytes()] = tensor.name, its_offsets
    missing = {name for name, _ in wanted.values()}
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Multiply":
            continue
        subtract, scales = (value.get_node() for value in node.input_values())
        if subtract.get_type_name() != "Subtract" or scales.get_type_name() != "Constant":
            continue
        if found := wanted.get(scales.get_data().astype(HALF).tobytes()):
            name, offsets = found
            shape = scales.get_output_shape(0)
            constant = openvino.opset13.constant(offsets.reshape(shape).astype(HALF))
            subtract.input(1).replace_source_output(constant.output(0))
            missing.discard(name)
    if missing:
        raise ValueError(f"{min(missing)} is not in the model that OpenVINO made")


def _groups(tensor: "ReaderTensor") -> "tuple[Floats, Floats] | None":
    """(rows, groups) of scales, and of the lowest weights; None for types without offsets or with
    a fixed one. https://github.com/ggml-org/llama.cpp/wiki/Tensor-Encoding-Schemes
    """
    from gguf import GGMLQuantizationType, quants

    rows = int(tensor.shape[1]) if len(tensor.shape) > 1 else 1
    data = np.asarray(tensor.data)
    if tensor.tensor_type == GGMLQuantizationType.Q4_1:
        blocks = np.ascontiguousarray(data.reshape(-1, 20)[:, :4]).view(HALF)
        scales, lowest = blocks[:, 0], blocks[:, 1]
    elif tensor.tensor_type == GGMLQuantizationType.Q4_K:
        blocks = data.reshape(-1, 144)
        two = np.ascontiguousarray(blocks[:, :4]).view(HALF).astype(np.float32)
        scale6, lowest6 = quants.Q4_K.get_scale_min(blocks[:, 4:16])
        scales = (two[:, :1] * scale6).astype(HALF)  # as OpenVINO has them
        lowest = -two[:, 1:] * lowest6
    else:
        return None
    return scales.astype(np.float32).reshape(rows, -1), lowest.astype(np.float32).reshape(rows, -1)


def _head_size(reader: "GGUFReader") -> int:
    def number(key: str) -> int:
        field = reader.get_field(f"{architecture}.{key}")
        return int(field.contents()) if field else 0

    field = reader.get_field("general.architecture")
    architecture = field.contents() if field else ""
    return number("attention.key_length") or (
        number("embedding_length") // number("attention.head_count")
    )


def _halves_apart(rows: Floats, head: int) -> Floats:
    """In llama files the rows of queries and keys that are turned together lie side by side;
    OpenVINO lays all first ones of a head before all second ones."""
    if rows.shape[0] % head:
        return rows
    return rows.reshape(-1, head // 2, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


if __name__ == "__main__":
    sys.exit(convert(Path(sys.argv[1]), Path(sys.argv[2])))
