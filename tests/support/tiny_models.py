"""Small random models made on the spot: a language model that a real server serves, and a CLIP."""

from __future__ import annotations

from pathlib import Path


def language_model(folder: Path) -> None:
    """Save a causal language model of two layers, with a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    from movlr_jax.prompts import prompt
    from movlr_jax.rewards import library, motion, places, vocabulary

    torch.manual_seed(0)
    words = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Learnt from what it will be asked: of single bytes a request would be tens of thousands.
    asked = [str(path) for path in sorted(Path(prompt.__file__).parent.glob("*.md"))] + [
        module.__file__ for module in (motion, places, vocabulary, library)
    ]
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=words, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train(asked, trainer)
    told = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>", additional_special_tokens=words[1:]
    )
    told.chat_template = (
        "{% for m in messages %}<|{{ m['role'] }}|>{% if m['content'] is string %}{{ m['content'] }}"
        "{% else %}{% for p in m['content'] %}{{ p['text'] }}{% endfor %}{% endif %}{% endfor %}<|assistant|>"
    )
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=65536,
        eos_token_id=0,
        pad_token_id=0,
    )
    model = Qwen2ForCausalLM(config)
    # Drawn at random, one word in forty ends the answer; one in two thousand would have it talk for minutes.
    model.generation_config.eos_token_id = [0, *range(len(words), config.vocab_size, 40)]
    model.save_pretrained(folder)
    told.save_pretrained(folder)


def clip_model(folder: Path) -> None:
    """Save a CLIP of two layers each, for pictures of 32 pixels."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    torch.manual_seed(0)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1}
    config = CLIPConfig(
        text_config={"vocab_size": len(words), **small, **ends},
        vision_config={"image_size": 32, "patch_size": 8, **small},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    pictures = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(image_processor=pictures, tokenizer=CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[])).save_pretrained(
        folder
    )
