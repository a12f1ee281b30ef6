"""The words of the pocket world in two languages.

In every list of words the first entry is the canonical one, used in answers and plans. In lists of whole
wordings (upper case names) the last entry is kept from training, for the final score; it says with known words what is not said so elsewhere.
`polite` is put around a wording that begins with one of `verbs`.
"""

import re

from world import COLOUR_NAMES, DEFINED, SHAPES, SIZES

ENGLISH = dict(
    shapes=dict(
        circle=["circle", "circle", "disc"], square=["square"], triangle=["triangle"], star=["star"],
        heart=["heart"], ring=["ring"], cross=["cross", "cross", "plus sign"],
        crescent=["crescent", "crescent", "crescent moon"],
    ),
    colours={name: [name] for name in COLOUR_NAMES},
    sizes=dict(small=["small", "small", "little", "tiny"], medium=["medium", "medium-sized"], large=["large", "large", "big", "huge"]),
    places=[
        ["in the top left corner", "at the top left", "in the upper left corner"], ["at the top", "in the upper part"],
        ["in the top right corner", "at the top right", "in the upper right corner"],
        ["on the left", "at the left", "on the left side"], ["in the centre", "in the middle", "in the center"],
        ["on the right", "at the right", "on the right side"],
        ["in the bottom left corner", "at the bottom left", "in the lower left corner"], ["at the bottom", "in the lower part"],
        ["in the bottom right corner", "at the bottom right", "in the lower right corner"],
    ],
    relations=dict(
        above=["above", "over"], below=["below", "under"],
        left=["to the left of", "left of"], right=["to the right of", "right of"], beside=["beside", "next to"],
    ),
    numbers=["no", "one", "two", "three"],
    plain="{article} {a} background", rows="a background that is {a} above and {b} below",
    columns="a background that is {a} on the left and {b} on the right",
    plain_colours="{a}", rows_colours="{a} above and {b} below", columns_colours="{a} on the left and {b} on the right",
    CREATE=["{things} on {background}", "paint {things} on {background}", "please draw {things} on {background}",
            "a picture of {things} on {background}", "{background} with {things}", "I would like {things} on {background}",
            "show me {things}, on {background}", "can you make an image with {things} on {background}, please?"],
    CREATE_FREE=["{things}", "draw {things}", "a picture of {things}", "please paint {things}", "can you draw {things}?",
                 "I would like an image with {things}"],
    RECOLOUR=["make {target} {colour}", "change the colour of {target} to {colour}", "turn {target} {colour}",
              "please paint {target} {colour}", "{target} should be {colour}", "I want {target} to be {colour}", "please change {target} to {colour}"],
    RESHAPE=["replace {target} with {shape}", "turn {target} into {shape}", "change {target} to {shape}",
             "make {target} {shape}, please", "{target} should be {shape}"],
    ADD=["add {thing}", "put {thing} into the picture", "please add {thing}", "draw {thing} as well", "please put {thing} into the picture as well"],
    REMOVE=["remove {target}", "delete {target}", "take {target} away", "please remove {target}", "remove {target} from the picture",
            "take {target} out of the picture", "I do not want {target}", "please delete {target}", "please delete {target} from the picture"],
    MOVE=["move {target} {to}", "put {target} {at}", "please move {target} {to}", "{target} should be {at}", "move {target} {to}, please", "please put {target} {at}"],
    RESIZE=["make {target} {size}", "{target} should be {size}", "please make {target} {size}", "I want {target} to be {size}", "I would like {target} to be {size}"],
    BACKGROUND=["change the background to {background}", "make it {background}", "give the picture {background}",
                "make the background {colours}", "change the background to {colours}",
                "please put everything on {background}", "the picture should be on {background}"],
    polite=["please {}", "{}, please", "can you {}?", "could you {}?", "could you {}, please?", "I want you to {}"],
    verbs=("add ", "change ", "delete ", "draw ", "give ", "make ", "move ", "paint ", "put ", "remove ", "replace ", "show ", "take ", "turn "),
    COMBINE=["put {target} of the first picture into the second", "add {target} from the first image to the second one",
             "take {target} from the first picture and put it into the second", "take {target} of the first image and add it to the second image"],
    WHAT=["what is it?", "what is in this picture?", "what do you see?", "what does the picture show?", "what is in this image?"],
    DESCRIBE=["describe the picture", "describe this image", "please describe what you see", "please describe this picture"],
    COLOUR=["what colour is {target}?", "which colour does {target} have?", "what is the color of {target}?", "which colour is {target}?"],
    BACK=["what colour is the background?", "which colour does the background have?", "which colour is the background?"],
    COUNT=["how many shapes are there?", "how many things are in the picture?", "count the shapes", "how many shapes do you see in the picture?"],
    COUNT_OF=["how many {kind} are there?", "how many {kind} do you see?", "count the {kind}"],
    WHERE=["where is {target}?", "in which place is {target}?", "where do you see {target}?", "in which place do you see {target}?"],
    THERE=["is there {thing}?", "do you see {thing}?", "does the picture have {thing}?", "can you see {thing} in the picture?"],
    LARGER=["which is larger, {one} or {two}?", "tell me what is larger: {one} or {two}", "what is larger, {one} or {two}?"],
    CHANGED=["what changed?", "what changed between the two pictures?", "what is different in the second picture?", "what is different between the two pictures?"],
    yes="Yes.", no="No.", nothing="Nothing.", there="There is {thing}.", same="They are the same size.",
    plural="s", shape_word="shape", it="it", one_of="{colour} one",
    became_colour="{target} became {colour}.", became_shape="{target} became {shape}.", appeared="{thing} appeared.",
    vanished="{target} is gone.", moved="{target} moved: it is {place} now.", resized="{target} became {size}.",
    back_changed="The background became {background}.",
    needs="The picture needs {background}.", stays="Everything else stays.", see="I see {things}.", so_count="That makes {number}.",
    talk=[("hello", "Hello! Ask me for a picture of shapes, or show me one."), ("hi", "Hello! Ask me for a picture of shapes, or show me one."),
          ("who are you?", "I am the pocket model. I paint and read simple shapes."),
          ("what can you do?", "I paint shapes from words, change them in pictures, and answer questions about them."),
          ("thank you", "You are welcome."), ("thanks", "You are welcome."), ("which shapes do you know?", "{shapes}."),
          ("which colours do you know?", "{colours}.")],
)

CHINESE = dict(
    shapes=dict(
        circle=["圆形", "圆形", "圆"], square=["正方形", "正方形", "方块"], triangle=["三角形"], star=["星星", "星星", "五角星"],
        heart=["爱心", "爱心", "心形"], ring=["圆环"], cross=["十字", "十字", "十字形"], crescent=["月牙", "月牙", "新月"],
    ),
    colours=dict(red=["红色"], yellow=["黄色"], green=["绿色"], blue=["蓝色"], black=["黑色"], white=["白色"],
                 orange=["橙色", "橙色", "橘色"], purple=["紫色"], pink=["粉色", "粉色", "粉红色"], brown=["棕色", "棕色", "褐色"]),
    sizes=dict(small=["小的", "小的", "小小的"], medium=["中等大小的"], large=["大的", "大的", "大大的", "很大的"]),
    places=[["左上角"], ["上方", "顶部", "上面"], ["右上角"], ["左边", "左侧"], ["中间", "中央", "中心"], ["右边", "右侧"],
            ["左下角"], ["下方", "底部", "下面"], ["右下角"]],
    relations=dict(above=["上面", "上方"], below=["下面", "下方"], left=["左边", "左侧"], right=["右边", "右侧"], beside=["旁边"]),
    numbers=["零", "一", "两", "三"],
    plain="{a}背景", rows="上面{a}、下面{b}的背景", columns="左边{a}、右边{b}的背景",
    plain_colours="{a}", rows_colours="上面{a}、下面{b}", columns_colours="左边{a}、右边{b}",
    CREATE=["{background}，{things}", "画{things}，{background}", "请画{things}，{background}", "{background}上有{things}",
            "一张{background}的图，有{things}", "我想要{things}，{background}", "请给我画{things}，要{background}"],
    CREATE_FREE=["{things}", "画{things}", "请画{things}", "一张有{things}的图", "给我画{things}", "请画一张有{things}的图"],
    RECOLOUR=["把{target}变成{colour}", "把{target}改成{colour}", "请把{target}涂成{colour}", "{target}要{colour}", "请把{target}的颜色改成{colour}"],
    RESHAPE=["把{target}换成{shape}", "把{target}变成{shape}", "请用{shape}代替{target}", "请把{target}改成{shape}"],
    ADD=["加{thing}", "添加{thing}", "请加上{thing}", "再画{thing}", "请添加{thing}"],
    REMOVE=["去掉{target}", "删除{target}", "请把{target}去掉", "不要{target}", "请去掉图里的{target}", "把{target}删掉", "请把{target}删除", "请删除{target}"],
    MOVE=["把{target}移到{place}", "把{target}放到{place}", "请把{target}移动到{place}", "{target}应该在{place}", "请把{target}放到{place}"],
    RESIZE=["把{target}变成{size}", "让{target}变成{size}", "请把{target}改成{size}", "{target}要{size}", "请把{target}变成{size}", "请让{target}变成{size}"],
    BACKGROUND=["把背景换成{background}", "把背景改成{background}", "请换成{background}", "把背景换成{colours}", "背景要{colours}", "请把背景变成{background}"],
    polite=["请{}", "请你{}", "帮我{}", "请帮我{}", "能不能{}？", "{}，谢谢"], verbs=("把", "加", "添加", "再画", "画", "去掉", "删除", "让"),
    COMBINE=["把第一张图的{target}放到第二张图里", "把第一张图里的{target}加到第二张图", "请把第一张图的{target}加到第二张图里"],
    WHAT=["这是什么？", "图里有什么？", "你看到什么？", "图里是什么？"],
    DESCRIBE=["描述这张图", "请描述图片", "请描述这张图片"],
    COLOUR=["{target}是什么颜色？", "{target}的颜色是什么？", "图里{target}是什么颜色？"],
    BACK=["背景是什么颜色？", "背景的颜色是什么？", "图片的背景是什么颜色？"],
    COUNT=["有几个图形？", "图里有多少个图形？", "数一数图形", "图里有几个图形？"],
    COUNT_OF=["有几个{kind}？", "图里有多少个{kind}？", "数一数{kind}", "图里有几个{kind}？"],
    WHERE=["{target}在哪里？", "{target}在什么位置？", "{target}在图里的什么位置？"],
    THERE=["有没有{thing}？", "图里有{thing}吗？", "能看到{thing}吗？", "你看到{thing}吗？"],
    LARGER=["{one}和{two}哪个大？", "哪个更大，{one}还是{two}？", "{one}和{two}哪个更大？"],
    CHANGED=["有什么变化？", "两张图有什么不同？", "第二张图改了什么？", "两张图有什么变化？"],
    yes="有。", no="没有。", nothing="没有变化。", there="有{thing}。", same="一样大。",
    plural="", shape_word="图形", it="它", one_of="{colour}的那个",
    became_colour="{target}变成了{colour}。", became_shape="{target}变成了{shape}。", appeared="多了{thing}。",
    vanished="{target}没有了。", moved="{target}移到了{place}。", resized="{target}变成了{size}。",
    back_changed="背景变成了{background}。",
    needs="画面需要{background}。", stays="其他不变。", see="我看到{things}。", so_count="一共{number}。",
    talk=[("你好", "你好！可以让我画图形，或者给我看一张图。"), ("你是谁？", "我是口袋模型，会画也会看简单的图形。"),
          ("你会做什么？", "我会按文字画图形，修改图片里的图形，回答关于图形的问题。"), ("谢谢", "不客气。"),
          ("你认识哪些图形？", "{shapes}。"), ("你认识哪些颜色？", "{colours}。")],
)

LANGUAGES = dict(en=ENGLISH, zh=CHINESE)


def words():
    """Every word of the world by itself; of English wordings too, which spaces take apart."""
    for language, lexicon in LANGUAGES.items():
        for name, value in lexicon.items():
            if language == "en" or name in ("shapes", "colours", "sizes", "places", "relations"):
                for entry in _leaves(value):
                    yield from re.findall(r"[^\W\d_]+", re.sub(r"\{\w+\}", " ", entry))


def _leaves(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    else:
        for inner in value:
            yield from _leaves(inner)


assert set(ENGLISH["shapes"]) == set(SHAPES) and set(ENGLISH["sizes"]) == set(SIZES)
for _language, _lexicon in LANGUAGES.items():
    _first = lambda words: [options[0] for options in words]
    _told = DEFINED["words"][_language]
    assert all(_first(_lexicon[part].values()) == _told[part] for part in ("shapes", "colours", "sizes")), _language
    assert _first(_lexicon["places"]) == _told["places"], _language
