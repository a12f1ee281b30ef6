"""The pocket vocabulary: byte-level BPE behind Qwen2's pre-tokenizer, with the official special tokens.

`python tokenizer.py --out RUN` writes tokenizer.json. Entries are learned from single words and
pieces of wordings, never from whole sentences: Chinese runs together, and an entry for "red circle"
would keep the model from ever learning what red is.
"""

import argparse
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
VOCABULARY = 2048
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Ordinary words beside those of the world, so that free typing does not fall apart into bytes at once.
EVERYDAY = (
    "the be to of and a in that have it for not on with as you do at this but by from we say or will one all would there "
    "what so up out if about who get which go me when make can like time no just know take into your good some could them "
    "see other than then now look only come over think also back after use two how our work first well even want because "
    "any these give most us are was is has had her his its she he they here where why yes three four five new old small "
    "should tree house cat dog sky sun moon flower water cloud car face hand line color dark light bright pale big grey "
    "planning process mind image enclosed within tags reasoning provide user answer generate first then here "
    "的 一 是 了 我 不 在 有 这 个 们 中 来 上 大 为 和 国 到 说 时 要 就 出 会 可 也 你 对 能 而 那 得 着 下 自 之 后 作 里 用 画 图 色 形 "
    "猫 狗 树 花 天 水 山 人 脸 手 线 请 把 吗 呢 吧 什么 怎么 哪里 哪个 多少 几个 红 黄 绿 蓝 黑 白 橙 紫 粉 棕 圆 方 角 星 心 环 张 变 改 换 "
    "移 放 加 去 删 取 数 第一 第二 图片 图形 背景 颜色 变成 改成 换成 移到 移动 放到 添加 加上 去掉 删除 位置 更大 变化 不同 描述 画面 "
    "需要 其他 不变 看到 应该 想要 给我 代替 没有 一样 一个 两个 三个 一共 多了 认识 口袋 模型 你好 谢谢 哪些 文字 修改 回答 关于 简单"
)
SIGNS = "， 。 、 ： ！ ？ < > </ think , . ? ! :"


def corpus():
    from lexicon import words

    for word in [*words(), *EVERYDAY.split()]:
        # A word stands alone, behind a space, and with a capital; often, so that every one becomes an entry.
        yield from [word, " " + word] * 20
        yield from [word.capitalize()] * 10
    for sign in SIGNS.split():
        yield from [sign, " " + sign, sign + ">"] * 100


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL), min_frequency=5, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    return tokenizer


class Vocabulary:
    """A tokenizer and the ids of its special tokens."""

    def __init__(self, path: Path):
        self.tokenizer = Tokenizer.from_file(str(path))
        _, self.start, self.end, self.image_start, self.image_end = (self.tokenizer.token_to_id(t) for t in SPECIAL)
        self.size = VOCABULARY

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = train()
    tokenizer.save(str(args.out / "tokenizer.json"))
    print(tokenizer.get_vocab_size(), "entries")


if __name__ == "__main__":
    main()
