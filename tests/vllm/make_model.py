"""Makes a model with weights drawn at random and a tokenizer of bytes: ``make_model.py DIRECTORY [WIDTH LAYERS]``.

It is tiny unless WIDTH and LAYERS say otherwise. Runs under vLLM's own Python, which has transformers.
"""

import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant: "


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte, and a few more."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=["<s>", "</s>"])
    tokenizer.train_from_iterator(["- hosts: all"], trainer)
    # No token ends a reply: weights that are drawn at random would end some by chance.
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", pad_token="</s>", chat_template=CHAT)


def main(place: str, width: str = "64", layers: str = "2") -> None:
    """Write both where vLLM finds them."""
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(place)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=int(width),
        intermediate_size=2 * int(width),
        num_hidden_layers=int(layers),
        num_attention_heads=int(width) // 32,
        num_key_value_heads=int(width) // 32,
        max_position_embeddings=8192,
        bos_token_id=0,
        eos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
