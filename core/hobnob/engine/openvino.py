"""OpenVINO as the library that runs the model: several times as fast as torch on x86 servers.

https://openvinotoolkit.github.io/openvino.genai/
"""

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hobnob.engine import openvino_convert, openvino_gguf, weights
from hobnob.engine.load import DEFAULT_CONTEXT, Loaded, hush
from hobnob.engine.openvino_batch import BLOCK
from hobnob.engine.openvino_process import OpenVinoWriter, Plan
from hobnob.engine.tokens import Template
from hobnob.engine.torch_writer import CACHE_SHARE, CGROUP
from hobnob.errors import ConfigError, EngineError, EngineUnavailable, HobnobError
from hobnob.ports import ModelOptions

SETTINGS: dict[str, dict[str, str | int]] = {
    # In these, an answer is the same in any company; measured in docs/decisions.md.
    "float32": {
        "INFERENCE_PRECISION_HINT": "f32",
        "KV_CACHE_PRECISION": "f16",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    },
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16", "KV_CACHE_PRECISION": "bf16"},
}
DTYPES = {"auto": "float32", "float32": "float32", "bfloat16": "bfloat16"}
KV_BYTES = 2
"""Of one number among the keys and values, in all settings."""
MOST_CACHE = 2 << 30
"""Bytes for keys and values, even where there is more memory."""
FORMAT = "-openvino2"
"""Ends the name of a converted folder. Counted up when conversion changes."""
MODEL_FILES = (openvino_convert.MODEL, "config.json", "tokenizer_config.json")


def fits(options: ModelOptions) -> str:
    """Why this model can't be run by OpenVINO here, for the owner; "" if it can.

    Looks at the file's header at most, and imports nothing that takes long.
    """
    if find_spec("openvino_genai") is None:
        return "openvino-genai is not installed: pip install 'hobnob[openvino]'"
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return f"OpenVINO is for x86-64 processors, and this is {platform.machine()}"
    if options.device not in ("auto", "cpu"):
        return f'device = "{options.device}": with OpenVINO, the model runs on the processor'
    if options.dtype not in DTYPES:
        return f'dtype = "{options.dtype}": with OpenVINO, one of {", ".join(DTYPES)}'
    try:
        path = _path(options.name)
    except ConfigError as error:
        return str(error)
    if path.is_file():
        return openvino_gguf.unfit(path)
    missing = [name for name in MODEL_FILES if not (path / name).is_file()]
    return f"there is no {missing[0]} in {path}" if missing else ""


def load_openvino(options: ModelOptions) -> Loaded:
    """Convert if need be, and load. Blocking. Raises ConfigError or EngineUnavailable."""
    options.report(f"loading the model {options.name}")
    if reason := fits(options):
        raise ConfigError(f'[model] engine = "openvino": {reason}')
    path = _path(options.name)
    if path.is_dir():
        return _load(options, path)
    found = weights.Weights(folder=_converted(path, options), converted=True)
    try:
        return _load(options, found.folder)
    except ConfigError:
        options.report("the converted model is damaged; converting it anew")
        weights.discard(found)
        return _load(options, _converted(path, options))


def _path(name: str) -> Path:
    """The GGUF file or the folder. Raises ConfigError."""
    path = weights.starter() if name == "starter" else Path(name).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix.lower() == ".gguf"):
        return path
    raise ConfigError(
        f"[model] name: {name!r} is neither a GGUF file nor a folder here; OpenVINO takes "
        "nothing else. Download the model and give its path."
    )


def _converted(gguf: Path, options: ModelOptions) -> Path:
    return weights.gguf_folder(gguf, options.report, program=openvino_convert, mark=FORMAT)


def _load(options: ModelOptions, folder: Path) -> Loaded:
    try:
        config = _json(folder / "config.json")
        config = config.get("text_config", config)
        dtype = DTYPES[options.dtype]
        blocks = _cache_bytes() // (BLOCK * _token_bytes(config))
        writer = OpenVinoWriter(
            Plan(
                folder=str(folder),
                settings={**SETTINGS[dtype], **_threads()},
                blocks=blocks,
                what=f"OpenVINO on cpu in {dtype}",
                schemas=(folder / openvino_convert.TOKENIZER).is_file(),
            )
        )
        tokenizer = _tokenizer(folder)
        template = Template(tokenizer, options.name)
        writer.wait(_end_tokens(folder, config, tokenizer))
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise ConfigError(f"[model] name: OpenVINO can't load {folder}: {error}") from error
    except HobnobError:
        raise
    except Exception as error:
        raise ConfigError(
            f"[model] name: the files in {folder} can't be loaded: they are damaged, or not those "
            f"of a chat model ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        ) from error
    longest = int(config.get("max_position_embeddings") or DEFAULT_CONTEXT)
    return Loaded(
        writer=writer,
        tokenizer=tokenizer,
        template=template,
        context_tokens=min(longest, int(tokenizer.model_max_length), BLOCK * (blocks - 1)),
    )


def _tokenizer(folder: Path) -> Any:
    """Importing AutoTokenizer imports torch: three seconds for nothing, where tokenizer.json says
    all."""
    loader: Any
    if (folder / "tokenizer.json").is_file():
        from transformers import PreTrainedTokenizerFast

        loader = PreTrainedTokenizerFast
    else:
        from transformers import AutoTokenizer

        loader = AutoTokenizer
    hush()
    return loader.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _end_tokens(folder: Path, config: Mapping[str, Any], tokenizer: Any) -> list[int]:
    """Whatever ends an answer, after the model's settings or after its tokenizer's."""
    generation = folder / "generation_config.json"
    ends = (_json(generation) if generation.is_file() else config).get("eos_token_id")
    ends = ends if isinstance(ends, list) else [ends]
    return sorted({token for token in (*ends, tokenizer.eos_token_id) if token is not None})


def _json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _token_bytes(config: Mapping[str, Any]) -> int:
    """Of the keys and values of one token."""
    heads = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // heads
    key_heads = config.get("num_key_value_heads") or heads
    return int(config["num_hidden_layers"] * key_heads * size * 2 * KV_BYTES)


def _cache_bytes() -> int:
    """For keys and values: a part of this machine's memory, or of what its container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # there is none
        memory = min(memory, int(CGROUP.read_text(encoding="ascii")))
    return min(memory // CACHE_SHARE, MOST_CACHE)


def _threads() -> dict[str, str | int]:
    """One core is left free, and no thread is tied to one: beside a busy neighbour, all would wait
    for the thread that shares a core with it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = max(1, (cores or 2) - 1)
    return {
        "INFERENCE_NUM_THREADS": threads,
        "sampler_num_threads": threads,
        "ENABLE_CPU_PINNING": "NO",
    }
