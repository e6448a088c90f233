"""Loads weights into a model that is ready to write. Blocking: called in the worker's thread."""

import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hobnob.engine import weights
from hobnob.engine.int8 import quantise
from hobnob.engine.join import join
from hobnob.engine.tokens import Template
from hobnob.engine.torch_writer import torch_writer
from hobnob.engine.writer import Writer
from hobnob.errors import ConfigError, EngineUnavailable, HobnobError
from hobnob.ports import ModelOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

INT8 = "int8"
DTYPES = ("auto", "float32", "bfloat16", "float16", INT8)
DEFAULT_CONTEXT = 8192
"""For models whose configuration names no longest prompt."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model with all that it takes to ask it."""

    writer: Writer
    tokenizer: "PreTrainedTokenizerBase"
    template: Template
    context_tokens: int


def load(options: ModelOptions) -> Loaded:
    """Find, convert or download, and load. Raises ConfigError or EngineUnavailable."""
    model, tokenizer, template = read(options)
    return Loaded(
        writer=torch_writer(model, _end_tokens(model, tokenizer), tokenizer),
        tokenizer=tokenizer,
        template=template,
        context_tokens=_context(model, tokenizer),
    )


def read(options: ModelOptions) -> tuple[Any, "PreTrainedTokenizerBase", Template]:
    """The model as transformers has it, its tokenizer, its template. Raises like `load`."""
    options.report(f"loading the model {options.name}")
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'[model] engine = "transformers": torch or transformers can\'t be imported ({error}).'
            " Install hobnob again, or use another engine."
        ) from error
    hush()
    _leave_a_core()
    device = _device(options.device)
    dtype = _dtype("auto" if options.dtype == INT8 else options.dtype, device)
    found = weights.find(options.name, options.report)
    try:
        model, tokenizer, template = _read(options.name, found.folder, device, dtype)
    except ConfigError:
        if not found.converted:
            raise
        options.report("the unpacked model is damaged; unpacking it anew")
        weights.discard(found)
        found = weights.find(options.name, options.report)
        model, tokenizer, template = _read(options.name, found.folder, device, dtype)
    join(model)
    if options.dtype == INT8:
        quantise(model)
    return model, tokenizer, template


def _read(
    name: str, folder: Path, device: "torch.device", dtype: "torch.dtype"
) -> tuple[Any, "PreTrainedTokenizerBase", Template]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, **local)
        template = Template(tokenizer, name)
        answer: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **local
        )
        model, info = answer
        if missing := info["missing_keys"]:
            raise ConfigError(
                f"[model] name: the weights in {folder} are not those of its config.json: "
                f"{len(missing)} are missing, such as {min(missing)}"
            )
        return model.to(device).eval(), tokenizer, template
    except HobnobError:
        raise
    except Exception as error:
        if _out_of_memory(error):
            raise EngineUnavailable(
                f"[model] name: {name!r} does not fit into the memory of {device}. Choose a "
                'smaller model, or device = "cpu".'
            ) from error
        raise ConfigError(
            f"[model] name: the files in {folder} can't be loaded: they are damaged, or of an "
            f"architecture that transformers does not know as a chat model "
            f"({type(error).__name__}: {_first_line(error)})"
        ) from error


def hush() -> None:
    """Keep what the libraries say to developers away from the owner's terminal."""
    from transformers.utils import logging as transformers_logging

    chatter: Any = transformers_logging
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    logging.getLogger("torch").setLevel(logging.ERROR)
    for library in ("torch", "transformers", "huggingface_hub", "safetensors"):
        warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")


def _leave_a_core() -> None:
    """torch takes every core, and its threads wait for each other at every step: one busy
    neighbour and all of them wait. Measured in docs/decisions.md."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(max(1, min(torch.get_num_threads(), (cores or 2) - 1)))


def _device(name: str) -> "torch.device":
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            name = "cuda"
        else:
            name = "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except Exception as error:
        raise ConfigError(
            f"[model] device: {name!r} can't be used here ({_first_line(error)}). "
            'Use "auto", "cpu", "cuda" or "mps".'
        ) from error
    return device


def _dtype(name: str, device: "torch.device") -> "torch.dtype":
    import torch

    if name not in DTYPES:
        raise ConfigError(f"[model] dtype: {name!r} is none of {', '.join(DTYPES)}")
    if name == "auto":
        name = "bfloat16" if _computes_bfloat16(device) else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _computes_bfloat16(device: "torch.device") -> bool:
    """Whether the processor itself does (with AVX512-BF16: twice as fast as float32)."""
    import torch

    if device.type != "cpu":
        return True
    if not hasattr(torch.cpu, "get_capabilities"):  # not in every torch that we allow
        return False
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def _context(model: Any, tokenizer: Any) -> int:
    config = model.config.get_text_config()
    longest = getattr(config, "max_position_embeddings", None) or DEFAULT_CONTEXT
    return min(int(longest), int(tokenizer.model_max_length))  # enormous where it is unknown


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Whatever ends an answer, after the model's settings or after its tokenizer's."""
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return sorted({token for token in (*ends, tokenizer.eos_token_id) if token is not None})


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
