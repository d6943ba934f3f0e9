"""Is somebody in danger now? A screen built for recall, and a judge of what it stops.

The screen looks for words that name danger (the matters of ``catalogue/emergency.toml``). The
judge sets aside what is past, asked about, practised, imagined, told of others, over, or a
figure of speech. A plain word for danger that stands is enough; a mere hint needs a little support
by the classifier, and a message without either needs much.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from intents.engine.catalogue import Intent
from intents.engine.wordlist import Hit, WordList

Scope = Literal["danger", "hint", "call", "hour", "message", "before", "figure"]

# A call for help outweighs every other sign; a mention of the hour ends the past only.
_CALLS = """救命 快来 快点 快些 快派 快叫 快去 快救 赶紧 赶快 赶过来 速来 速派 从速 立刻 立即 马上
来人 求你 求求 急急 等不及 来不及 还没醒 在响 报警器响"""
_HOURS = "现在 正在 这会儿 还在 刚才 刚刚 刚还 一直在 今天 今早 今晚"

# Said anywhere in the message, unless somebody calls for help.
_ABOUT = {
    "practised": """演习 演练 培训 讲座 知识 预案 宣传 海报 应急包 消防站""",
    "equipment": """报警器 灭火器 灭火毯 烟感 喷淋 说明书 软管 安检 质保 保修 三包 退货 退款 退钱 厂家""",
    "told of others": """新闻 听说 电视 电影 小说 剧里 的剧 追剧 剧情 演员 视频里 朋友圈 抖音 刷到 网上看 看网上 报道
        讲故事 梦见 做梦 做了个梦 游戏里 歌词""",
    "tricks": "骗子 诈骗 骗局 骗人 刷单",
    "over": """感谢你们 太感谢 多亏 恩人 锦旗 表扬 没事了 找到了 找回来 找着了 自己回来 已经回来 救回来 救下来 救活 扑灭
        火灭了 虚惊 误报 实为 取消 撤销 不用来 不用救 出院 康复 恢复了 好转 缓过来 已经送医院 赔偿 赔钱 赔我 理赔
        索赔 医药费 医疗费""",
    "asked": """补贴 补助 报销 津贴 工伤 认定 申请 材料 手续 流程 几点 多少钱 收费 办理 哪个科 挂号 挂什么 怎么预防 怎么防
        保险公司 谁负责 归谁管 算不算 合不合法 犯法吗 政策 建议 加装 安装 装一""",
    "joked": "开玩笑 开个玩笑 哈哈 嘻嘻 逗你 闹着玩 嘿嘿",
    "reported": "处理得 处理结果 工单 上次报 投诉 反映过 立案 案子 笔录 道歉",
}
# Said before the danger: then that is past or imagined, unless something in between says «now».
_PAST = """去年 前年 上个月 上月 上周 上星期 上礼拜 上次 上回 以前 之前 当年 那年 那时 那天 那次 小时候 年轻时
年轻的时候 前几天 前些天 前阵子 前段时间 前天 前晚 前夜 大前天 曾经 有一次 有一回 年前 月前 天前 周前 几年"""
_IMAGINED = """万一 假如 假设 要是 如果 一旦 哪天 以防 避免 防止 预防 就怕 怕出 怕会 怕有 怕哪 会不会 容易 差点 险些 迟早 早晚
真要 真的要 要真 真着 真起"""
_FIGURES = """笑死 气死 热死 饿死 烦死 累死 哭死 吵死 臭死 冷死 冻死 困死 撑死 丑死 羡慕死 想死你 死我了 死个人 火了 火大 发火
冒火气 上火 恼火 生意火 火爆 炸了锅 心态炸 气炸 肺都 雷死 累瘫 着了火一样 着火一样 着火似的 不着火 打着火 救命车 救命钱 救命药 救命恩 救命稻草
要跳舞 想跳舞 跳楼价 跳楼大 逼人跳楼 落水口 落水管 起火了咋 起火了怎么 着火了咋 着火谁"""
_NEGATED = re.compile(r"(?:不是|没有|没|不会|未|并非|别|不要|防|像)$").search
_PAST_VERB = re.compile(r"过(?:一[次回跤]|[两三几]次|一?架|火|$)").match


class Finding(NamedTuple):
    """What the words alone say. ``set_aside``: neither stands, and the message says why."""

    named: bool = False
    hinted: bool = False
    set_aside: bool = False


class Screen:
    """Screen and judge for the kinds of danger of a catalogue."""

    def __init__(self, emergency: Intent) -> None:
        words: list[tuple[str, Scope]] = []
        for matter in emergency.matters:
            words += [(word, "danger") for word in matter.words]
            words += [(word, "hint") for word in matter.hints]
        words += [(word, "call") for word in _CALLS.split()]
        words += [(word, "hour") for word in _HOURS.split()]
        words += [(word, "message") for cue in _ABOUT.values() for word in cue.split()]
        words += [(word, "before") for word in (f"{_PAST} {_IMAGINED}").split()]
        words += [(word, "figure") for word in _FIGURES.split()]
        self._words = WordList(words)

    def examine(self, folded: str) -> Finding:
        """Reads one message."""
        hits = self._words.find(folded)
        if not hits:
            return Finding()
        of: dict[Scope, list[Hit[Scope]]] = {}
        for hit in hits:
            of.setdefault(hit.value, []).append(hit)
        figures, before = of.get("figure", []), of.get("before", [])
        calls = [hit for hit in of.get("call", ()) if not _within(hit, figures)]
        ends = [hit.start for hit in (*calls, *of.get("hour", ()))]
        elsewhere = "message" in of and not calls
        dangers = [
            hit for hit in (*of.get("danger", ()), *of.get("hint", ())) if not _within(hit, figures)
        ]
        standing = {
            hit.value
            for hit in dangers
            if not elsewhere and not _is_denied(folded, hit) and not _is_over(hit, before, ends)
        }
        doubtful = elsewhere or bool((dangers or before or figures) and not calls)
        return Finding("danger" in standing, "hint" in standing, doubtful and not standing)


def _is_denied(folded: str, danger: Hit[Scope]) -> bool:
    """«不是着火», «摔过一跤»: the words around it say that it is not, or not any more."""
    before = _NEGATED(folded, max(0, danger.start - 3), danger.start)
    return before is not None or _PAST_VERB(folded, danger.end) is not None


def _is_over(danger: Hit[Scope], before: list[Hit[Scope]], ends: list[int]) -> bool:
    """It follows a word that puts it into the past or the possible, and nothing brings it back."""
    return any(
        cue.end <= danger.start and not any(cue.end <= end < danger.start for end in ends)
        for cue in before
    )


def _within(danger: Hit[Scope], figures: list[Hit[Scope]]) -> bool:
    """The word is part of a saying, «笑死我了»."""
    return any(f.start <= danger.start and danger.end <= f.end for f in figures)
